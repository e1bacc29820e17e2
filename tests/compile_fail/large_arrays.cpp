// SPDX-License-Identifier: BSL-1.0
// A control: arrays of any length travel in a plain struct.
#include <string>

#include <coterie/coterie.hpp>

struct packet {
  int length;
  char data[2048];
};
static_assert(coterie::detail::block_copyable<packet>);

struct letter {
  char address[5000];
  std::string text;
  double weights[3000];
  packet attachment;
};
static_assert(coterie::detail::field_count_of<letter> == 4);

letter echo(letter value) { return value; }

auto echoed(coterie::pool& pool) { return pool.apply(echo, letter{}); }
