// SPDX-License-Identifier: BSL-1.0

// MPI_Scatter, compute, MPI_Gather: as many ranks as workers, each with the same share. For tasks
// of equal length that is the best there can be.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "../support/contender.hpp"
#include "../support/mpi_run.hpp"
#include "../support/spin.hpp"

namespace {

std::vector<std::int64_t> map(const std::vector<std::int64_t>& numbers, int share,
                              std::int64_t task_ns) {
  std::vector<std::int64_t> mine(static_cast<std::size_t>(share));
  std::vector<std::int64_t> results(numbers.size());
  MPI_Scatter(numbers.data(), share, MPI_INT64_T, mine.data(), share, MPI_INT64_T, 0,
              MPI_COMM_WORLD);
  for (std::int64_t& number : mine) number = bench::spin_and_return(task_ns, number);
  MPI_Gather(mine.data(), share, MPI_INT64_T, results.data(), share, MPI_INT64_T, 0,
             MPI_COMM_WORLD);
  return results;
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t processes = 2;
  std::int64_t tasks = 100'000;
  std::int64_t task_ns = 10'000;
  bench::parse(argc, argv, "Tasks of equal length, scattered over the ranks of MPI.",
               {{"processes", &processes, "Ranks"},
                {"tasks", &tasks, "How many"},
                {"task-ns", &task_ns, "Nanoseconds of work each"}});

  const bench::mpi_run run{argc, argv};
  if (run.size != processes) bench::fail("as many ranks as workers are needed");
  const int share = static_cast<int>(tasks / run.size);
  std::vector<std::int64_t> numbers(run.rank == 0 ? static_cast<std::size_t>(share * run.size) : 0);
  std::iota(numbers.begin(), numbers.end(), 0);

  map(numbers, std::max(share / 20, 1), task_ns);
  MPI_Barrier(MPI_COMM_WORLD);
  const bench::stopwatch watch;
  const auto results = map(numbers, share, task_ns);
  const double seconds = watch.seconds();
  if (run.rank != 0) return 0;
  bench::expect(results == numbers, "the map");

  const double work = 1e-9 * static_cast<double>(task_ns) * share;
  bench::print({{"seconds", seconds}, {"efficiency", work / seconds}});
}
