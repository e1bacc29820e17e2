// SPDX-License-Identifier: BSL-1.0

// Master and workers, by hand: rank 0 gives each of the others four tasks at a time, two such
// chunks ahead, and a new chunk for each that is done.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <numeric>
#include <vector>

#include "../support/contender.hpp"
#include "../support/mpi_run.hpp"
#include "../support/spin.hpp"
#include "../support/uneven_times.hpp"

namespace {

constexpr std::size_t chunksize = 4;
constexpr int in_flight = 2;
constexpr int chunk_tag = 1;
constexpr int end_tag = 2;

void serve() {
  std::vector<std::int64_t> chunk(chunksize);
  for (;;) {
    MPI_Status status;
    MPI_Recv(chunk.data(), chunksize, MPI_INT64_T, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    if (status.MPI_TAG == end_tag) return;
    int count = 0;
    MPI_Get_count(&status, MPI_INT64_T, &count);
    for (int i = 0; i < count; ++i) {
      const auto place = static_cast<std::size_t>(i);
      chunk[place] = bench::spin_and_return(chunk[place], chunk[place]);
    }
    MPI_Send(chunk.data(), count, MPI_INT64_T, 0, chunk_tag, MPI_COMM_WORLD);
  }
}

std::vector<std::int64_t> map(const std::vector<std::int64_t>& times, int workers) {
  std::vector<std::int64_t> results(times.size());
  // Which chunks each worker has, in the order in which it will answer.
  std::vector<std::deque<std::size_t>> given(static_cast<std::size_t>(workers) + 1);
  std::size_t next = 0;
  const auto size = [&](std::size_t begin) {
    return static_cast<int>(std::min(chunksize, times.size() - begin));
  };
  const auto give = [&](int worker) {
    if (next >= times.size()) return;
    MPI_Send(&times[next], size(next), MPI_INT64_T, worker, chunk_tag, MPI_COMM_WORLD);
    given[static_cast<std::size_t>(worker)].push_back(next);
    next += chunksize;
  };
  for (int ahead = 0; ahead < in_flight; ++ahead) {
    for (int worker = 1; worker <= workers; ++worker) give(worker);
  }
  const std::size_t chunks = (times.size() + chunksize - 1) / chunksize;
  for (std::size_t done = 0; done < chunks; ++done) {
    MPI_Status status;
    MPI_Probe(MPI_ANY_SOURCE, chunk_tag, MPI_COMM_WORLD, &status);
    const int worker = status.MPI_SOURCE;
    auto& waiting = given[static_cast<std::size_t>(worker)];
    const std::size_t begin = waiting.front();
    waiting.pop_front();
    MPI_Recv(&results[begin], size(begin), MPI_INT64_T, worker, chunk_tag, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
    give(worker);
  }
  return results;
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t processes = 2;
  std::int64_t tasks = 20'000;
  std::int64_t longest_last = 0;
  bench::parse(argc, argv, "Tasks of 1 us to 1 ms, master and workers over MPI.",
               {{"processes", &processes, "Workers: all ranks but the first"},
                {"tasks", &tasks, "How many"},
                {"longest-last", &longest_last, "1: in ascending order"}});

  const bench::mpi_run run{argc, argv};
  if (run.size != processes + 1) bench::fail("one rank more than workers is needed");
  if (run.rank != 0) {
    serve();
    return 0;
  }
  map(bench::uneven_times(1 + tasks / 20, false), run.size - 1);
  const auto times = bench::uneven_times(tasks, longest_last != 0);
  const bench::stopwatch watch;
  const auto results = map(times, run.size - 1);
  const double seconds = watch.seconds();
  for (int worker = 1; worker < run.size; ++worker) {
    MPI_Send(&tasks, 1, MPI_INT64_T, worker, end_tag, MPI_COMM_WORLD);
  }
  bench::expect(results == times, "the map");

  const auto total =
      static_cast<double>(std::accumulate(times.begin(), times.end(), std::int64_t{0}));
  bench::print({{"seconds", seconds},
                {"efficiency", 1e-9 * total / static_cast<double>(processes) / seconds}});
}
