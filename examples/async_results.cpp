// SPDX-License-Identifier: BSL-1.0

// Shows the handles of calls that are under way: looking at their progress, waiting for them with a
// time limit, callbacks, and cancelling.

#include <chrono>
#include <exception>
#include <numbers>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <coterie/coterie.hpp>

#include "example.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// Greatest common divisors of `row` with every number up to 4000: how many of them are 1.
int count_coprimes(int row) {
  int coprime = 0;
  for (int column = 1; column <= 4'000; ++column) coprime += std::gcd(row, column) == 1 ? 1 : 0;
  return coprime;
}

int answer_after(std::chrono::milliseconds time, int answer) {
  std::this_thread::sleep_for(time);
  return answer;
}

int refuse(const std::string& reason) { throw std::domain_error(reason); }

asio::awaitable<void> polling(coterie::pool& pool, int size) {
  fmt::print("Polling: {} of greatest common divisors\n", example::count(size, "row"));
  const auto pending = pool.map_async(count_coprimes, std::views::iota(1, size + 1));
  while (!co_await pending.wait(100ms)) {
    fmt::print("  ready: {}, {:>4} of {} remaining\n", pending.ready(), pending.remaining(),
               pending.total());
  }
  example::check(pending.ready() && pending.successful(), "a call that is over is ready");
  example::check(pending.remaining() == 0, "a call that is over has nothing left to do");

  const std::vector<int> counts = co_await pending.get();
  const double pairs = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double share = pairs / (4'000.0 * size);
  fmt::print("  ready: true, {:.2f} % of the pairs are coprime (in the long run {:.2f} %)\n\n",
             100 * share, 600 / (std::numbers::pi * std::numbers::pi));
  for (const int row : {1, size / 2 + 1, size}) {
    example::check(counts.at(static_cast<std::size_t>(row) - 1) == count_coprimes(row),
                   fmt::format("row {} differs from the serial run", row));
  }
}

asio::awaitable<void> timeouts(coterie::pool& pool) {
  const auto pending = pool.apply_async(answer_after, 400ms, 42);

  bool too_early = false;
  try {
    (void)pending.successful();
  } catch (const coterie::error& problem) {
    too_early = problem.code() == coterie::errc::not_ready;
    fmt::print("Timeouts, for a call of 400 ms:\n  successful(): {}\n", problem.what());
  }
  example::check(too_early, "it is too early to tell whether the call is successful");

  bool late = false;
  try {
    co_await pending.get(50ms);
  } catch (const coterie::timeout_error& problem) {
    late = true;
    fmt::print("  get(50ms): {}\n", problem.what());
  }
  example::check(late, "a call of 400 ms cannot end within 50 ms");

  // The limit ended the wait, not the call.
  const int answer = co_await pending.get(30s);
  fmt::print("  get(30s): {}\n\n", answer);
  example::check(answer == 42, "the answer after a timeout");
}

asio::awaitable<void> callbacks(coterie::pool& pool) {
  fmt::print("Callbacks, of two calls: one ends with a value, one with an error\n");
  int values = 0;
  int errors = 0;
  // They run on the pool's executor, so in this program's only thread: nothing to lock.
  const auto on_value = [&](int value) {
    ++values;
    fmt::print("  value {}\n", value);
  };
  const auto on_error = [&](const std::exception_ptr& problem) {
    ++errors;
    const auto* origin = coterie::get_remote_info(problem);
    example::check(origin != nullptr, "an error of a task knows where it comes from");
    fmt::print("  {} in worker {}\n", origin->type_name(), origin->rank());
  };
  const auto good = pool.apply_async(answer_after, 10ms, 7);
  const auto bad = pool.apply_async(refuse, "not my domain");
  good.callback(on_value).error_callback(on_error);
  bad.callback(on_value).error_callback(on_error);
  co_await good.wait();
  co_await bad.wait();
  example::check(values == 1 && errors == 1, "each call has one callback");
  example::check(good.successful() && !bad.successful(), "one call failed");
}

asio::awaitable<void> cancelling(coterie::pool& pool) {
  const auto pending = pool.apply_async(answer_after, std::chrono::milliseconds{1h}, 0);
  const example::stopwatch watch;
  pending.cancel();
  bool aborted = false;
  try {
    co_await pending.get();
  } catch (const boost::system::system_error& problem) {
    aborted = problem.code() == asio::error::operation_aborted;
  }
  example::check(aborted, "a cancelled call completes with operation_aborted");
  const int answer = co_await pool.apply(answer_after, 0ms, 1);
  fmt::print(
      "\nCancelling: a call of one hour ended, and the pool answered the next one, after {}\n",
      example::duration(watch.seconds()));
  example::check(answer == 1, "the pool works on");
}

asio::awaitable<int> program(int argc, char** argv) {
  int processes = 0;
  int size = 3'000;
  CLI::App app{"Handles of calls that run: polling, timeouts, callbacks, cancelling."};
  example::add_processes(app, processes);
  app.add_option("--size", size, "Rows of the table that is computed while it is polled")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;

  coterie::pool pool{co_await asio::this_coro::executor, {.processes = processes}};
  co_await polling(pool, size);
  co_await timeouts(pool);
  co_await callbacks(pool);
  co_await cancelling(pool);
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
