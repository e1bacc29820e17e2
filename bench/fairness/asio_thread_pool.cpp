// SPDX-License-Identifier: BSL-1.0

// Threads and one queue: a call waits until all that was posted before it has been done.

#include <chrono>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "../support/contender.hpp"
#include "../support/spin.hpp"

namespace asio = boost::asio;

int main(int argc, char** argv) {
  std::int64_t processes = 2;
  std::int64_t tasks = 200'000;
  std::int64_t task_ns = 100'000;
  std::int64_t chunksize = 0;
  std::int64_t chunk_ns = 2'000'000;
  std::int64_t every_ms = 5;
  bench::parse(argc, argv, "Single calls after many tasks in a thread pool.",
               {{"processes", &processes, "Threads"},
                {"tasks", &tasks, "Tasks that are posted first"},
                {"task-ns", &task_ns, "Nanoseconds of work each"},
                {"chunksize", &chunksize, "Not looked at: each task is posted"},
                {"chunk-ns", &chunk_ns, "What the waits are compared with"},
                {"every-ms", &every_ms, "Milliseconds from call to call"}});

  asio::thread_pool threads{static_cast<std::size_t>(processes)};
  std::latch rest{tasks};
  std::mutex lock;
  std::vector<double> waits;
  std::size_t calls = 0;
  const bench::stopwatch watch;
  for (std::int64_t task = 0; task < tasks; ++task) {
    asio::post(threads, [&] {
      bench::spin_for(task_ns);
      rest.count_down();
    });
  }
  auto next = std::chrono::steady_clock::now();
  while (!rest.try_wait()) {
    ++calls;
    asio::post(threads, [&, asked = bench::stopwatch{}] {
      const double waited = asked.seconds();
      const std::lock_guard guard{lock};
      waits.push_back(waited);
    });
    std::this_thread::sleep_until(next += std::chrono::milliseconds{every_ms});
  }
  const double seconds = watch.seconds();
  threads.join();
  bench::expect(waits.size() == calls, "each call is answered");

  const double p99 = bench::quantile(waits, 0.99);
  const double ideal = 1e-9 * static_cast<double>(task_ns * tasks) / static_cast<double>(processes);
  bench::print({{"median_wait_seconds", bench::quantile(waits, 0.5)},
                {"p99_wait_seconds", p99},
                {"longest_wait_seconds", bench::quantile(waits, 1)},
                {"p99_wait_in_chunks", 1e9 * p99 / static_cast<double>(chunk_ns)},
                {"map_efficiency", ideal / seconds},
                {"calls", static_cast<double>(calls)}});
}
