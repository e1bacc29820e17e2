// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a callback gets a copy of the value, and this one cannot be copied
#include <memory>

#include <coterie/coterie.hpp>

void listen(const coterie::async_result<std::unique_ptr<int>>& pending) {
  pending.callback([](std::unique_ptr<int>) {});
}
