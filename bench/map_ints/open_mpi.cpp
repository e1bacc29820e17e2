// SPDX-License-Identifier: BSL-1.0

// MPI_Scatter, compute, MPI_Gather, as it stands in every book.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "../support/contender.hpp"
#include "../support/mpi_run.hpp"

namespace {

std::int64_t triple(std::int64_t number) { return 3 * number; }

std::vector<std::int64_t> map(const std::vector<std::int64_t>& numbers, int share) {
  std::vector<std::int64_t> mine(static_cast<std::size_t>(share));
  std::vector<std::int64_t> results(numbers.size());
  MPI_Scatter(numbers.data(), share, MPI_INT64_T, mine.data(), share, MPI_INT64_T, 0,
              MPI_COMM_WORLD);
  std::ranges::transform(mine, mine.begin(), triple);
  MPI_Gather(mine.data(), share, MPI_INT64_T, results.data(), share, MPI_INT64_T, 0,
             MPI_COMM_WORLD);
  return results;
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t items = 1'000'000;
  std::int64_t processes = 0;
  bench::parse(argc, argv, "A map of small numbers, scattered over the ranks of MPI.",
               {{"items", &items, "How many"}, {"processes", &processes, "Not looked at"}});

  const bench::mpi_run run{argc, argv};
  const int share = static_cast<int>(items / run.size);
  std::vector<std::int64_t> numbers(run.rank == 0 ? static_cast<std::size_t>(share * run.size) : 0);
  std::iota(numbers.begin(), numbers.end(), 0);

  map(numbers, share);
  MPI_Barrier(MPI_COMM_WORLD);
  const bench::stopwatch watch;
  const auto results = map(numbers, share);
  const double seconds = watch.seconds();
  if (run.rank != 0) return 0;
  bench::expect(std::ranges::equal(results, numbers, {}, {}, triple), "the map");
  bench::print(
      {{"seconds", seconds}, {"items_per_second", static_cast<double>(numbers.size()) / seconds}});
}
