// SPDX-License-Identifier: BSL-1.0

// Rank 0 asks the others in turn, one at a time, with messages of 64 bytes.

#include <array>
#include <cstdint>

#include "../support/call_times.hpp"
#include "../support/mpi_run.hpp"
#include "../support/spin.hpp"

namespace {

using message = std::array<std::int64_t, 8>;
constexpr int count = std::tuple_size_v<message>;
constexpr int call_tag = 1;
constexpr int end_tag = 2;

void serve() {
  message one{};
  for (;;) {
    MPI_Status status;
    MPI_Recv(one.data(), count, MPI_INT64_T, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    if (status.MPI_TAG == end_tag) return;
    one[0] = bench::identity(one[0]);
    MPI_Send(one.data(), count, MPI_INT64_T, 0, call_tag, MPI_COMM_WORLD);
  }
}

}  // namespace

int main(int argc, char** argv) {
  bench::call_times times;
  std::int64_t processes = 0;  // the other ranks, whatever this says
  bench::parse(argc, argv, "The time of a call over MPI.",
               times.options({{"processes", &processes, "Not looked at"}}));

  const bench::mpi_run run{argc, argv};
  if (run.rank != 0) {
    serve();
    return 0;
  }
  message one{};
  for (std::int64_t call = 0; times.more(); ++call) {
    const int worker = 1 + static_cast<int>(call % (run.size - 1));
    one[0] = call;
    const bench::stopwatch watch;
    MPI_Send(one.data(), count, MPI_INT64_T, worker, call_tag, MPI_COMM_WORLD);
    MPI_Recv(one.data(), count, MPI_INT64_T, worker, call_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    times.add(watch.seconds());
    bench::expect(one[0] == call, "the call");
  }
  for (int worker = 1; worker < run.size; ++worker) {
    MPI_Send(one.data(), count, MPI_INT64_T, worker, end_tag, MPI_COMM_WORLD);
  }
  times.print();
}
