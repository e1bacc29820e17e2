// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a lambda with captures cannot travel
#include <coterie/coterie.hpp>

auto bound(int factor) {
  return coterie::bind([factor](int one, int other) { return factor * (one + other); }, 1);
}
