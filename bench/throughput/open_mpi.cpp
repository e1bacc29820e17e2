// SPDX-License-Identifier: BSL-1.0

// Master and workers, by hand, as it stands in the books: rank 0 gives each of the others a task,
// and one more for each result. With `--in-flight` it gives some ahead.

#include <cstdint>

#include "../support/contender.hpp"
#include "../support/mpi_run.hpp"
#include "../support/spin.hpp"

namespace {

constexpr int task_tag = 1;
constexpr int end_tag = 2;

void serve(std::int64_t task_ns) {
  for (;;) {
    std::int64_t number = 0;
    MPI_Status status;
    MPI_Recv(&number, 1, MPI_INT64_T, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    if (status.MPI_TAG == end_tag) return;
    number = task_ns == 0 ? bench::identity(number) : bench::spin_and_return(task_ns, number);
    MPI_Send(&number, 1, MPI_INT64_T, 0, task_tag, MPI_COMM_WORLD);
  }
}

void run_all(std::int64_t tasks, int workers, std::int64_t in_flight) {
  std::int64_t next = 0;
  std::int64_t sum = 0;
  const auto give = [&](int worker) {
    if (next == tasks) return;
    MPI_Send(&next, 1, MPI_INT64_T, worker, task_tag, MPI_COMM_WORLD);
    ++next;
  };
  for (std::int64_t ahead = 0; ahead < in_flight; ++ahead) {
    for (int worker = 1; worker <= workers; ++worker) give(worker);
  }
  for (std::int64_t done = 0; done < tasks; ++done) {
    std::int64_t result = 0;
    MPI_Status status;
    MPI_Recv(&result, 1, MPI_INT64_T, MPI_ANY_SOURCE, task_tag, MPI_COMM_WORLD, &status);
    sum += result;
    give(status.MPI_SOURCE);
  }
  bench::expect(sum == bench::sum_below(tasks), "the sum of the results");
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t processes = 2;
  std::int64_t tasks = 1'000'000;
  std::int64_t task_ns = 0;
  std::int64_t in_flight = 1;
  bench::parse(argc, argv, "Many short tasks, master and workers over MPI.",
               {{"processes", &processes, "Workers: all ranks but the first"},
                {"tasks", &tasks, "How many"},
                {"task-ns", &task_ns, "Nanoseconds of work; 0: trivial"},
                {"in-flight", &in_flight, "Tasks that a worker has at a time"}});

  const bench::mpi_run run{argc, argv};
  if (run.size != processes + 1) bench::fail("one rank more than workers is needed");
  if (run.rank != 0) {
    serve(task_ns);
    return 0;
  }
  run_all(1 + tasks / 20, run.size - 1, in_flight);
  const double cpu_before = bench::cpu_seconds();
  const bench::stopwatch watch;
  run_all(tasks, run.size - 1, in_flight);
  const double seconds = watch.seconds();
  const double cpu = bench::cpu_seconds() - cpu_before;
  for (int worker = 1; worker < run.size; ++worker) {
    MPI_Send(&tasks, 1, MPI_INT64_T, worker, end_tag, MPI_COMM_WORLD);
  }

  const auto count = static_cast<double>(tasks);
  const double ideal = 1e-9 * static_cast<double>(task_ns) * count / static_cast<double>(processes);
  bench::print({{"seconds", seconds},
                {"tasks_per_second", count / seconds},
                {"parent_cpu_seconds_per_task", cpu / count},
                {"efficiency", ideal / seconds}});
}
