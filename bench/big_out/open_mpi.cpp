// SPDX-License-Identifier: BSL-1.0

// Each worker sends arrays that it has; rank 0 receives each into memory of its own, which is new
// ("cold"), or has been received into before.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "../support/arrays.hpp"
#include "../support/contender.hpp"
#include "../support/mpi_run.hpp"

namespace {

constexpr int tag = 1;
using block = std::unique_ptr<std::int64_t[]>;

void serve(int rank, int workers, std::int64_t arrays, std::int64_t mebibytes, int rounds) {
  std::vector<std::int64_t> array = bench::make_array(0, mebibytes);
  for (int round = 0; round < rounds; ++round) {
    MPI_Barrier(MPI_COMM_WORLD);
    for (std::int64_t i = rank - 1; i < arrays; i += workers) {
      array.front() = i;
      MPI_Send(array.data(), static_cast<int>(array.size()), MPI_INT64_T, 0, tag, MPI_COMM_WORLD);
    }
  }
}

void receive_all(std::vector<block>& results, int workers, std::size_t length) {
  MPI_Barrier(MPI_COMM_WORLD);
  std::vector<MPI_Request> requests;
  for (std::size_t begin = 0; begin < results.size(); begin += static_cast<std::size_t>(workers)) {
    for (int worker = 1; worker <= workers; ++worker) {
      const std::size_t place = begin + static_cast<std::size_t>(worker) - 1;
      if (place >= results.size()) break;
      // As large as a page or more: what the allocator gives for this is fresh.
      if (!results[place]) results[place] = std::make_unique_for_overwrite<std::int64_t[]>(length);
      MPI_Request& received = requests.emplace_back();
      MPI_Irecv(results[place].get(), static_cast<int>(length), MPI_INT64_T, worker, tag,
                MPI_COMM_WORLD, &received);
    }
    MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
    requests.clear();
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t processes = 2;
  std::int64_t arrays = 16;
  std::int64_t mebibytes = 64;
  std::int64_t warm = 0;
  bench::parse(argc, argv, "Large arrays over MPI, from workers to rank 0.",
               {{"processes", &processes, "Workers: all ranks but the first"},
                {"arrays", &arrays, "How many"},
                {"mebibytes", &mebibytes, "The size of each"},
                {"warm", &warm, "1: receive into memory that was used before"}});

  const bench::mpi_run run{argc, argv};
  const int workers = run.size - 1;
  if (run.rank != 0) {
    serve(run.rank, workers, arrays, mebibytes, 2);
    return 0;
  }
  const std::size_t length = bench::numbers_in(mebibytes);
  std::vector<block> results(static_cast<std::size_t>(arrays));
  receive_all(results, workers, length);
  if (warm == 0) {
    for (block& each : results) each.reset();
  }
  const bench::stopwatch watch;
  receive_all(results, workers, length);
  const double seconds = watch.seconds();

  const auto expected = bench::sum_of_all(bench::make_array(0, mebibytes));
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::span<const std::int64_t> array{results[i].get(), length};
    const auto number = static_cast<std::int64_t>(i);
    bench::expect(array.front() == number, "the order of the arrays");
    bench::expect(bench::sum_of_all(array) == expected + number, "an array");
  }
  bench::print({{"seconds", seconds},
                {"bytes_per_second", static_cast<double>((arrays * mebibytes) << 20U) / seconds}});
}
