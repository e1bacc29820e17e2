// SPDX-License-Identifier: BSL-1.0

// MPI_Isend to each worker in turn, into a buffer that it keeps; a number comes back.

#include <cstdint>
#include <vector>

#include "../support/arrays.hpp"
#include "../support/contender.hpp"
#include "../support/mpi_run.hpp"

namespace {

constexpr int all_tag = 1;
constexpr int pages_tag = 2;
constexpr int end_tag = 3;

void serve(std::int64_t mebibytes) {
  std::vector<std::int64_t> array(bench::numbers_in(mebibytes));
  for (;;) {
    MPI_Status status;
    MPI_Recv(array.data(), static_cast<int>(array.size()), MPI_INT64_T, 0, MPI_ANY_TAG,
             MPI_COMM_WORLD, &status);
    if (status.MPI_TAG == end_tag) return;
    const std::int64_t sum =
        status.MPI_TAG == all_tag ? bench::sum_of_all(array) : bench::sum_of_pages(array);
    MPI_Send(&sum, 1, MPI_INT64_T, 0, status.MPI_TAG, MPI_COMM_WORLD);
  }
}

std::vector<std::int64_t> map(const std::vector<std::vector<std::int64_t>>& inputs, int workers,
                              int tag) {
  std::vector<std::int64_t> sums(inputs.size());
  std::vector<MPI_Request> requests;
  // One array for each worker at a time: then each works while another is sent to.
  for (std::size_t begin = 0; begin < inputs.size(); begin += static_cast<std::size_t>(workers)) {
    for (int worker = 1; worker <= workers; ++worker) {
      const std::size_t place = begin + static_cast<std::size_t>(worker) - 1;
      if (place >= inputs.size()) break;
      MPI_Request& sent = requests.emplace_back();
      MPI_Isend(inputs[place].data(), static_cast<int>(inputs[place].size()), MPI_INT64_T, worker,
                tag, MPI_COMM_WORLD, &sent);
      MPI_Request& received = requests.emplace_back();
      MPI_Irecv(&sums[place], 1, MPI_INT64_T, worker, tag, MPI_COMM_WORLD, &received);
    }
    MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
    requests.clear();
  }
  return sums;
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t processes = 2;
  std::int64_t arrays = 16;
  std::int64_t mebibytes = 64;
  bench::parse(argc, argv, "Large arrays over MPI, a number back.",
               {{"processes", &processes, "Workers: all ranks but the first"},
                {"arrays", &arrays, "How many"},
                {"mebibytes", &mebibytes, "The size of each"}});

  const bench::mpi_run run{argc, argv};
  if (run.rank != 0) {
    serve(mebibytes);
    return 0;
  }
  std::vector<std::vector<std::int64_t>> inputs;
  for (std::int64_t i = 0; i < arrays; ++i) inputs.push_back(bench::make_array(i, mebibytes));

  const auto whole = map(inputs, run.size - 1, all_tag);
  const bench::stopwatch watch;
  const auto sums = map(inputs, run.size - 1, pages_tag);
  const double seconds = watch.seconds();
  for (int worker = 1; worker < run.size; ++worker) {
    MPI_Send(nullptr, 0, MPI_INT64_T, worker, end_tag, MPI_COMM_WORLD);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    bench::expect(whole[i] == bench::sum_of_all(inputs[i]), "the sums");
    bench::expect(sums[i] == bench::sum_of_pages(inputs[i]), "the sums of pages");
  }
  bench::print({{"seconds", seconds},
                {"bytes_per_second", static_cast<double>((arrays * mebibytes) << 20U) / seconds}});
}
