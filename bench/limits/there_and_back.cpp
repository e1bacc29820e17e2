// SPDX-License-Identifier: BSL-1.0

// The limit of a map over small numbers: the least that a parent of processes does. It writes the
// items to where another process may read them, and the results from there into a vector that is
// new.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "../support/contender.hpp"

namespace {

double seconds_there_and_back(const std::vector<std::int64_t>& items,
                              std::vector<std::int64_t>& shared) {
  const bench::stopwatch watch;
  std::ranges::copy(items, shared.begin());
  const std::vector<std::int64_t> results(shared.begin(), shared.end());
  const double seconds = watch.seconds();
  bench::expect(results == items, "the copy");
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t items = 1'000'000;
  bench::parse(argc, argv, "Small numbers, copied twice.", {{"items", &items, "How many"}});
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(items));
  std::iota(numbers.begin(), numbers.end(), 0);
  std::vector<std::int64_t> shared(numbers.size());
  seconds_there_and_back(numbers, shared);
  const double seconds = seconds_there_and_back(numbers, shared);
  bench::print({{"seconds", seconds}, {"items_per_second", static_cast<double>(items) / seconds}});
}
