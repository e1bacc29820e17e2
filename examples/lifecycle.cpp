// SPDX-License-Identifier: BSL-1.0

// Shows the ways in which a pool ends: by its scope, by `close` and `join`, and by `terminate`.
// After each of them no process is left.

#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/coterie.hpp>

#include "coroutines.hpp"
#include "example.hpp"

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

int twice(int number) { return 2 * number; }

void sleep_for(std::chrono::seconds time) { std::this_thread::sleep_for(time); }

/// A finalizer: leaves a file behind, as others would write out what they have gathered.
void say_goodbye(const fs::path& folder) {
  std::ofstream{folder / fmt::format("worker-{}", coterie::this_worker::rank())} << "goodbye\n";
}

/// Whether this process has no children: none that runs, and no zombie.
bool no_child_left() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

asio::awaitable<void> by_scope(asio::any_io_executor loop, int processes) {
  const example::stopwatch watch;
  double worked = 0.0;
  {
    coterie::pool pool{loop, {.processes = processes}};
    example::check(co_await pool.apply(twice, 21) == 42, "twice 21");
    example::check(!no_child_left(), "an open pool has workers");
    worked = watch.seconds();
  }
  fmt::print("scope        first answer after {}, all workers gone {} after the end of the scope\n",
             example::duration(worked), example::duration(watch.seconds() - worked));
  example::check(no_child_left(), "a worker outlived its pool");
}

asio::awaitable<void> by_close(asio::any_io_executor loop, int processes, const fs::path& folder) {
  coterie::pool pool{loop,
                     {.processes = processes, .finalizer = coterie::bind(say_goodbye, folder)}};
  const auto accepted = pool.map_async(twice, std::views::iota(0, 10'000));
  pool.close();

  bool refused = false;
  try {
    co_await pool.apply(twice, 1);
  } catch (const coterie::pool_closed& problem) {
    refused = true;
    fmt::print("close, join  new work is refused: {}\n", problem.what());
  }
  example::check(refused, "a closed pool refuses work");

  const example::stopwatch watch;
  co_await pool.join();
  const auto goodbyes = std::ranges::distance(fs::directory_iterator{folder});
  fmt::print("             join returned after {}: all {} results there, {}\n",
             example::duration(watch.seconds()), (co_await accepted.get()).size(),
             example::count(goodbyes, "goodbye"));
  example::check((co_await accepted.get()).back() == 19'998, "accepted work is finished");
  example::check(goodbyes == pool.size(), "each worker runs the finalizer once");
  example::check(no_child_left(), "a worker is there after join");
}

asio::awaitable<void> by_terminate(asio::any_io_executor loop, int processes) {
  coterie::pool pool{loop, {.processes = processes}};
  const auto hopeless = pool.apply_async(sleep_for, std::chrono::hours{1});
  co_await pool.apply(twice, 1);

  const example::stopwatch watch;
  pool.terminate();
  pool.terminate();  // once more does no harm
  bool ended = false;
  try {
    co_await hopeless.get();
  } catch (const coterie::pool_terminated& problem) {
    ended = true;
    fmt::print("terminate    a task of one hour ends: {}\n", problem.what());
  }
  example::check(ended, "what was pending completes with pool_terminated");
  co_await pool.join();
  fmt::print("             all workers gone after {}\n", example::duration(watch.seconds()));
  example::check(no_child_left(), "a worker is there after terminate and join");
}

asio::awaitable<int> all_ways(int processes) {
  const example::temporary_folder folder;
  const auto loop = co_await asio::this_coro::executor;
  co_await by_scope(loop, processes);
  co_await by_close(loop, processes, folder.path());
  co_await by_terminate(loop, processes);
  co_return 0;
}

asio::awaitable<int> program(int argc, char** argv) {
  int processes = 2;
  CLI::App app{"The ways in which a pool ends: scope, close and join, terminate."};
  example::add_processes(app, processes);
  if (const auto code = example::parse(app, argc, argv)) co_return *code;
  co_return co_await example::until_interrupted(all_ways(processes));
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
