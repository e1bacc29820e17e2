// SPDX-License-Identifier: BSL-1.0

// The limit of a pool over sockets: 64 bytes to a child and back over a bare socket pair, both ends
// blocking.

#include "../overview/raw_round_trip.hpp"
#include "../support/contender.hpp"

int main(int argc, char** argv) {
  std::int64_t rounds = 20'000;
  bench::parse(argc, argv, "The round trip of 64 bytes over a bare socket pair.",
               {{"rounds", &rounds, "Round trips"}});
  raw_round_trip(64, static_cast<int>(rounds / 10 + 1));
  const double microseconds = raw_round_trip(64, static_cast<int>(rounds));
  bench::print({{"median_seconds", 1e-6 * microseconds}});
}
