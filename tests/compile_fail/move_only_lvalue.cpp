// SPDX-License-Identifier: BSL-1.0
// expect: coterie: this argument cannot be copied
// most lines: 60
#include <memory>

#include <coterie/coterie.hpp>

int value_of(std::unique_ptr<int> number) { return *number; }

auto value(coterie::pool& pool, std::unique_ptr<int>& number) {
  return pool.apply(value_of, number);
}
