// SPDX-License-Identifier: BSL-1.0

// Threads, which need no copies: what the processes' separate memories cost.

#include <algorithm>
#include <numeric>
#include <vector>

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include "../support/contender.hpp"

namespace {

std::int64_t triple(std::int64_t number) { return 3 * number; }

std::vector<std::int64_t> map(const std::vector<std::int64_t>& numbers) {
  std::vector<std::int64_t> results(numbers.size());
  tbb::parallel_for(std::size_t{0}, numbers.size(),
                    [&](std::size_t i) { results[i] = triple(numbers[i]); });
  return results;
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t items = 1'000'000;
  std::int64_t processes = 2;
  bench::parse(argc, argv, "A map of small numbers in tbb::parallel_for.",
               {{"items", &items, "How many"},
                {"processes", &processes, "Threads, the caller's among them"}});

  const tbb::global_control threads{tbb::global_control::max_allowed_parallelism,
                                    static_cast<std::size_t>(processes)};
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(items));
  std::iota(numbers.begin(), numbers.end(), 0);
  map(numbers);
  const bench::stopwatch watch;
  const auto results = map(numbers);
  const double seconds = watch.seconds();
  bench::expect(std::ranges::equal(results, numbers, {}, {}, triple), "the map");
  bench::print({{"seconds", seconds}, {"items_per_second", static_cast<double>(items) / seconds}});
}
