// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a raw pointer or reference cannot travel to another process
#include <vector>

#include <coterie/ext/codec.hpp>

std::vector<int*> receive(std::span<const std::byte> message) {
  return coterie::decode<std::vector<int*>>(message);
}
