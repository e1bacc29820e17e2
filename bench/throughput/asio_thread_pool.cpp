// SPDX-License-Identifier: BSL-1.0

// Threads instead of processes. The program is a loop in a thread of its own, as with the others:
// it posts tasks, the tasks post their results back, and a bounded number is on its way.

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "../support/contender.hpp"
#include "../support/spin.hpp"

namespace asio = boost::asio;

namespace {

class stream {
 public:
  stream(std::size_t threads, std::int64_t task_ns) : threads_{threads}, task_ns_{task_ns} {}

  void run(std::int64_t tasks) {
    tasks_ = tasks;
    next_ = sum_ = 0;
    for (int i = 0; i < window; ++i) give();
    loop_.run();
    loop_.restart();
    bench::expect(sum_ == bench::sum_below(tasks), "the sum of the results");
  }

 private:
  static constexpr int window = 256;

  void give() {
    if (next_ == tasks_) return;
    const std::int64_t task = next_++;
    asio::post(threads_, [this, task, working = asio::make_work_guard(loop_)] {
      const std::int64_t result =
          task_ns_ == 0 ? bench::identity(task) : bench::spin_and_return(task_ns_, task);
      asio::post(loop_, [this, result] {
        sum_ += result;
        give();
      });
    });
  }

  asio::io_context loop_{1};
  asio::thread_pool threads_;
  std::int64_t task_ns_;
  std::int64_t tasks_ = 0;
  std::int64_t next_ = 0;
  std::int64_t sum_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  std::int64_t processes = 2;
  std::int64_t tasks = 1'000'000;
  std::int64_t task_ns = 0;
  bench::parse(argc, argv, "Many short tasks in a thread pool, results as they finish.",
               {{"processes", &processes, "Threads"},
                {"tasks", &tasks, "How many"},
                {"task-ns", &task_ns, "Nanoseconds of work; 0: trivial"}});

  stream results{static_cast<std::size_t>(processes), task_ns};
  results.run(1 + tasks / 20);
  const bench::stopwatch watch;
  results.run(tasks);
  const double seconds = watch.seconds();

  const auto count = static_cast<double>(tasks);
  const double ideal = 1e-9 * static_cast<double>(task_ns) * count / static_cast<double>(processes);
  bench::print({{"seconds", seconds},
                {"tasks_per_second", count / seconds},
                {"efficiency", ideal / seconds}});
}
