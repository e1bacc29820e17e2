// SPDX-License-Identifier: BSL-1.0
// expect: coterie: this type cannot travel
// most lines: 60
#include <mutex>

#include <coterie/coterie.hpp>

struct work {
  int id;
  std::mutex lock;
};

int id_of(const work& one) { return one.id; }

auto id(coterie::pool& pool, const work& one) { return pool.apply(id_of, one); }
