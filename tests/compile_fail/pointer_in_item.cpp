// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a raw pointer or reference cannot travel to another process
#include <vector>

#include <coterie/coterie.hpp>

struct entry {
  int key;
  const char* name;
};

int key_of(const entry& which) { return which.key; }

auto keys(coterie::pool& pool, const std::vector<entry>& entries) {
  return pool.map(key_of, entries);
}
