// SPDX-License-Identifier: BSL-1.0

// Shows what a pool is for: the same slow function, on the same numbers, first one after the other
// and then in worker processes, with the speed-up and what it means.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/coterie.hpp>

#include "example.hpp"

namespace asio = boost::asio;

namespace {

/// What a worker sends back: a plain aggregate, which travels as it is.
struct verdict {
  std::int64_t divisor = 0;  ///< the smallest above 1: the number itself, if that is prime
  double seconds = 0.0;
  int rank = -1;  ///< of the worker that found it
};

// Trial division, on purpose: hundreds of millions of divisions for a number of 18 digits.
std::int64_t smallest_divisor(std::int64_t number) {
  if (number % 2 == 0) return 2;
  for (std::int64_t divisor = 3; divisor <= number / divisor; divisor += 2) {
    if (number % divisor == 0) return divisor;
  }
  return number;
}

verdict examine(std::int64_t number) {
  const example::stopwatch watch;
  const std::int64_t divisor = smallest_divisor(number);
  return {divisor, watch.seconds(), coterie::this_worker::rank()};
}

void print_verdict(std::int64_t number, const verdict& serial, const verdict& pooled) {
  const bool prime = serial.divisor == number;
  fmt::print("{:>19}  {:<24} {:>10} {:>10} {:>6}\n", number,
             prime ? "prime" : fmt::format("divisible by {}", serial.divisor),
             example::duration(serial.seconds), example::duration(pooled.seconds), pooled.rank);
}

// The workers bound the speed-up, and so does the longest number, since a number is never divided.
void explain(double serial, double longest, const example::pool_run& run) {
  if (serial < 0.05) {
    fmt::print(
        "\nThis work is over before a worker has started: a pool pays when there is more of it.\n");
    return;
  }
  const double most = std::min(static_cast<double>(run.workers), serial / longest);
  fmt::print("\nThe pool was {:.2f} times as fast as one process.", run.speed_up(serial));
  if (run.speed_up(serial) < most) {
    if (most < run.workers) {
      fmt::print(
          " The most that is possible is {:.2f} times: one number\nis tested by one worker, and the "
          "longest takes {:.0f} % of the serial time.",
          most, 100 * longest / serial);
    } else if (run.workers == 1) {
      fmt::print(" One worker alone has nothing to gain.");
    } else {
      fmt::print(" The most that is possible is {} times, with {}.", run.workers,
                 example::count(run.workers, "worker"));
    }
  }
  fmt::print("\n");
}

asio::awaitable<int> program(int argc, char** argv) {
  std::vector<std::int64_t> numbers{112272535095295, 100109100129100369, 100109100129101027,
                                    100109100129100151, 100109100129162907};
  int processes = 0;

  CLI::App app{"Tests which numbers are prime: serially, then in a pool, with the speed-up."};
  app.add_option("NUMBER", numbers, "Numbers to test, 2 or more")
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{4'000'000'000'000'000'000}))
      ->capture_default_str();
  example::add_processes(app, processes);
  if (const auto code = example::parse(app, argc, argv)) co_return *code;

  const example::stopwatch serial_watch;
  std::vector<verdict> expected;
  for (const std::int64_t number : numbers) expected.push_back(examine(number));
  const double serial = serial_watch.seconds();
  const double idle = serial_watch.idle_cpus();

  // The pool's time includes the start of its workers. One number at a time: these are long tasks
  // of very different lengths, and two that travel together cannot be shared out.
  const example::stopwatch pool_watch;
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = processes}};
  const auto verdicts = co_await pool.map(examine, numbers, {.chunksize = 1});
  const example::pool_run run{pool.size(), pool_watch.seconds()};

  fmt::print("{:>19}  {:<24} {:>10} {:>10} {:>6}\n", "number", "", "serial", "pool", "worker");
  double longest = 0.0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    print_verdict(numbers[i], expected[i], verdicts[i]);
    longest = std::max(longest, expected[i].seconds);
    example::check(verdicts[i].divisor == expected[i].divisor,
                   fmt::format("the pool and the serial run differ on {}", numbers[i]));
  }
  fmt::print("\n");
  example::print_speed_up(serial, std::vector{run});
  explain(serial, longest, run);
  if (serial > 0.1) example::print_load(idle, run);
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
