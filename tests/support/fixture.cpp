// SPDX-License-Identifier: BSL-1.0

// A program for tests that must do to the parent of a pool what they cannot do to themselves. The
// first argument is the mode, one of the functions below.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio.hpp>

#include <coterie/coterie.hpp>

#include "support/signal.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

using asio::awaitable;

// Whole at once, although other processes write there.
void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::abort();
}

// ---- tasks ------------------------------------------------------------------------------------

int own_pid() { return ::getpid(); }
int twice(int value) { return 2 * value; }

int compute(int) {
  say("begun");
  volatile unsigned value = 1;
  for (;;) value = value * 3 + 1;
}

int sleep_for_ever(int) {
  say("begun");
  for (;;) ::pause();
}

// Deaf to all that can be blocked.
int block_signals_and_compute(int item) {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  return compute(item);
}

// ---- modes ------------------------------------------------------------------------------------

constexpr int workers = 3;

std::vector<int> items() { return {0, 1, 2}; }

awaitable<void> until_ready(const coterie::pool& pool) {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  while (pool.stats().workers_ready < pool.size()) {
    timer.expires_after(1ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

awaitable<void> for_ever() {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  timer.expires_at(asio::steady_timer::time_point::max());
  co_await timer.async_wait(asio::use_awaitable);
}

awaitable<void> idle(int, char**) {
  const coterie::pool pool{co_await asio::this_coro::executor, {.processes = workers}};
  co_await until_ready(pool);
  say("ready");
  co_await for_ever();
}

awaitable<void> busy(int, char**) {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = workers}};
  co_await pool.map(compute, items(), {.chunksize = 1});
}

awaitable<void> sleeping(int, char**) {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = workers}};
  co_await pool.map(sleep_for_ever, items(), {.chunksize = 1});
}

awaitable<void> deaf(int, char**) {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = workers}};
  co_await pool.map(block_signals_and_compute, items(), {.chunksize = 1});
}

awaitable<void> starting(int, char**) {
  const coterie::pool pool{co_await asio::this_coro::executor, {.processes = 16}};
  say("made");
  co_await for_ever();
}

// A process that the parent has forked keeps open what the parent has open, the lifeline too.
void fork_holder() {
  const pid_t holder = ::fork();
  if (holder == 0) {
    // Not its outputs, which the test reads to their end.
    for (const int each : {0, 1, 2}) ::close(each);
    for (;;) ::pause();
  }
  say("holder " + std::to_string(holder));
}

awaitable<void> forked_idle(int, char**) {
  const coterie::pool pool{co_await asio::this_coro::executor, {.processes = workers}};
  co_await until_ready(pool);
  fork_holder();
  say("ready");
  co_await for_ever();
}

awaitable<void> forked_busy(int, char**) {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = workers}};
  co_await until_ready(pool);
  fork_holder();
  co_await pool.map(compute, items(), {.chunksize = 1});
}

// The thread that starts the workers ends: they go on.
int other_thread(int, char**) {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = workers}};
  std::thread first{[&] {
    while (pool.stats().workers_ready < pool.size()) loop.run_one_for(1s);
  }};
  first.join();
  const std::string pids = std::to_string(pool.stats().workers_started);
  auto values = pool.map(twice, items(), {}, asio::use_future);
  while (values.wait_for(0s) != std::future_status::ready) loop.run_one_for(1s);
  const auto doubled = values.get();
  say(doubled == std::vector<int>{0, 2, 4} ? "served " + pids : "wrong");
  say("crashed " + std::to_string(pool.stats().workers_crashed));
  loop.run();
  return 0;
}

// Ends by returning from main, with a pool that was not destroyed before.
int in_a_static(int, char**) {
  static asio::io_context loop;
  static coterie::pool pool{loop, {.processes = workers}};
  asio::co_spawn(
      loop,
      []() -> awaitable<void> {
        co_await until_ready(pool);
        auto pending = pool.map_async(sleep_for_ever, items(), {.chunksize = 1});
        std::string line;
        std::getline(std::cin, line);
        loop.stop();
      },
      asio::detached);
  loop.run();
  return 0;
}

int in_a_static_after_its_loop(int, char**) {
  static std::optional<coterie::pool> pool;
  static asio::io_context loop;
  pool.emplace(loop, coterie::pool_options{.processes = workers});
  asio::co_spawn(
      loop,
      []() -> awaitable<void> {
        co_await until_ready(*pool);
        auto pending = pool->map_async(sleep_for_ever, items(), {.chunksize = 1});
        std::string line;
        std::getline(std::cin, line);
        loop.stop();
      },
      asio::detached);
  loop.run();
  return 0;
}

// A process that is forked while tasks run leaves by exit, or by returning from main: what is
// static is destroyed there, too.
int nap(int item) {
  std::this_thread::sleep_for(200ms);
  return item;
}

int forking_main(bool by_exit) {
  static std::optional<coterie::pool> pool;
  static asio::io_context loop;
  pool.emplace(loop, coterie::pool_options{.processes = workers});
  while (pool->stats().workers_ready < workers) loop.run_one_for(1s);
  auto values = pool->map(nap, items(), {.chunksize = 1}, asio::use_future);
  loop.run_for(20ms);
  const pid_t child = ::fork();
  if (child == 0) {
    if (by_exit) std::exit(0);
    return 0;
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  say("child " + std::to_string(status));
  std::string line;
  std::getline(std::cin, line);
  while (values.wait_for(0s) != std::future_status::ready) loop.run_one_for(1s);
  say("values " + std::to_string(values.get().size()));
  say("crashed " + std::to_string(pool->stats().workers_crashed));
  pool.reset();
  return 0;
}

int child_exits(int, char**) { return forking_main(true); }
int child_returns_from_main(int, char**) { return forking_main(false); }

// Never destroyed at all. In reach to the end, so that it is no leak to leak checkers.
int leaked(int, char**) {
  static auto* const loop = new asio::io_context;
  static auto* const pool = new coterie::pool{*loop, {.processes = workers}};
  auto pending = pool->map_async(sleep_for_ever, items(), {.chunksize = 1});
  asio::co_spawn(
      *loop,
      []() -> awaitable<void> {
        co_await until_ready(*pool);
        std::string line;
        std::getline(std::cin, line);
        loop->stop();
      },
      asio::detached);
  loop->run();
  std::exit(5);
}

// Ctrl-C means here that the program says something, and goes on.
awaitable<void> interrupts(int, char**) {
  const auto executor = co_await asio::this_coro::executor;
  coterie::pool pool{executor, {.processes = workers}};
  co_await until_ready(pool);
  asio::signal_set signals{executor, SIGINT};
  for (int round = 0; round < 2; ++round) {
    say("ready");
    co_await signals.async_wait(asio::use_awaitable);
    const std::vector<int> given = items();
    co_await pool.map(twice, given);
    say("interrupted " + std::to_string(pool.stats().workers_crashed));
  }
}

// Answers each line of input by a call.
awaitable<void> commands(int, char**) {
  const auto executor = co_await asio::this_coro::executor;
  asio::posix::stream_descriptor input{executor, ::dup(STDIN_FILENO)};
  coterie::pool pool{executor, {.processes = 1}};
  std::string text;
  for (;;) {
    try {
      say("pid " + std::to_string(co_await pool.apply(own_pid)));
    } catch (const std::exception& problem) {
      say(std::string{"problem "} + problem.what());
    }
    const auto count = co_await asio::async_read_until(input, asio::dynamic_buffer(text), '\n',
                                                       asio::use_awaitable);
    text.erase(0, count);
  }
}

// ---- main without init ------------------------------------------------------------------------

int make_a_pool_and_call() {
  try {
    asio::io_context loop;
    coterie::pool pool{loop, {.processes = 2}};
    auto result = pool.apply(own_pid, asio::use_future);
    while (result.wait_for(0s) != std::future_status::ready) loop.run_one_for(1s);
    result.get();
    say("a result");
  } catch (const std::exception& problem) {
    say(problem.what());
    return 1;
  }
  return 0;
}

// Says so when two workers are there, and tied to this process.
int wait_for_workers() {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = 2}};
  while (pool.stats().workers_started < 2) loop.run_one();
  say("started");
  loop.run();
  return 0;
}

// ---- run --------------------------------------------------------------------------------------

awaitable<void> run_void() {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
  say(std::to_string(co_await pool.apply(twice, 21)));
}

awaitable<int> run_int(int argc, char** argv) {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
  say(std::to_string(argc) + argv[2]);
  co_return co_await pool.apply(twice, 21);
}

awaitable<void> run_throw() {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
  co_await pool.apply([] { throw std::invalid_argument{"what went wrong"}; });
}

awaitable<void> run_throw_other() {
  co_await asio::post(asio::use_awaitable);
  throw 42;
}

// What is started by the coroutine and still pending when it ends is waited for.
awaitable<void> run_detached() {
  const auto executor = co_await asio::this_coro::executor;
  asio::co_spawn(
      executor,
      [executor]() -> awaitable<void> {
        asio::steady_timer timer{executor, 10ms};
        co_await timer.async_wait(asio::use_awaitable);
        say("the last");
      },
      asio::detached);
}

// ---- output -----------------------------------------------------------------------------------

int print_and_return(int item) {
  std::printf("printed %d\n", item);
  std::cout << "streamed " << item << '\n';
  return item;
}

int print_or_hang(int item) {
  if (item > 0) {
    for (;;) ::pause();
  }
  // Long enough for the result to be sent before the next item begins.
  const auto end = std::chrono::steady_clock::now() + 5ms;
  while (std::chrono::steady_clock::now() < end) {
  }
  return print_and_return(item);
}

awaitable<void> prints(int, char**) {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
  for (int item = 0; item < 3; ++item) {
    co_await pool.apply(print_and_return, item);
  }
  pool.terminate();
  co_await pool.join();
}

awaitable<void> prints_tagged(int, char**) {
  coterie::pool pool{co_await asio::this_coro::executor,
                     {.processes = 1, .standard_output = coterie::output::tagged_lines()}};
  for (int item = 0; item < 100; ++item) {
    try {
      co_await pool.apply(print_and_return, item);
    } catch (const coterie::worker_crashed&) {
      continue;  // its output is broken
    }
  }
  pool.terminate();
  co_await pool.join();
}

awaitable<void> prints_in_a_chunk(int, char**) {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
  auto stream = pool.imap(print_or_hang, items(), {.chunksize = 3});
  co_await stream.next();
  pool.terminate();
  co_await pool.join();
}

// ---- scarcity ---------------------------------------------------------------------------------

// A loop stops when it has run out of work, as it does when no worker can be had.
template <class Future>
void run_until_ready(asio::io_context& loop, Future& result) {
  loop.restart();
  while (result.wait_for(0s) != std::future_status::ready) loop.run_one_for(1s);
}

std::string outcome_of_call(asio::io_context& loop, coterie::pool& pool) {
  auto result = pool.apply(twice, 21, asio::use_future);
  run_until_ready(loop, result);
  try {
    return result.get() == 42 ? "right" : "wrong";
  } catch (const coterie::start_failed& problem) {
    return std::string{"start_failed "} + problem.reason();
  } catch (const std::exception& problem) {
    return std::string{"another "} + problem.what();
  }
}

void set_limit(decltype(RLIMIT_NOFILE) which, rlim_t value) {
  rlimit limit{};
  ::getrlimit(which, &limit);
  limit.rlim_cur = std::min(value, limit.rlim_max);
  if (::setrlimit(which, &limit) != 0) say(std::string{"setrlimit "} + std::strerror(errno));
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int each = 0; each < 256; ++each) {
    if (::fcntl(each, F_GETFD) >= 0) ++count;
  }
  return count;
}

// For each number of descriptors that are left: a call, and another when there are enough again.
int few_descriptors(int argc, char** argv) {
  const bool kept = argc > 2 && std::string_view{argv[2]} == "beside another pool";
  asio::io_context loop;
  // The loop's own descriptors and the lifeline are made once and kept.
  std::optional<coterie::pool> other{std::in_place, loop, coterie::pool_options{.processes = 1}};
  say("first " + outcome_of_call(loop, *other));
  if (!kept) other.reset();
  loop.restart();
  loop.poll();

  // Numbers are given out from below: with the holes filled, the limit is a count.
  const int highest = 40;
  while (::open("/dev/null", O_RDONLY | O_CLOEXEC) < highest) {
  }
  for (int left = 0; left < 8; ++left) {
    const std::size_t before = open_descriptors();
    set_limit(RLIMIT_NOFILE, static_cast<rlim_t>(highest + 1 + left));
    {
      coterie::pool pool{loop, {.processes = 1}};
      say(std::to_string(left) + " " + outcome_of_call(loop, pool));
      set_limit(RLIMIT_NOFILE, 1024);
      say("then " + outcome_of_call(loop, pool));
    }
    loop.restart();
    loop.poll();
    if (open_descriptors() != before) say("descriptors leaked");
  }
  say("end");
  return 0;
}

// A pool that has workers loses them while there are no descriptors for others.
int few_descriptors_later(int, char**) {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = 2}};
  say(outcome_of_call(loop, pool));
  while (pool.stats().workers_ready < 2) loop.run_one_for(1s);
  const int next = ::dup(0);
  ::close(next);
  set_limit(RLIMIT_NOFILE, static_cast<rlim_t>(next));
  auto crash =
      pool.map_settled([](int) -> int { ::_exit(3); }, items(), {.chunksize = 1}, asio::use_future);
  run_until_ready(loop, crash);
  try {
    const auto outcomes = crash.get();
    for (const auto& each : outcomes) {
      if (each.has_value()) say("an impossible value");
      // The last worker has died before the last item was begun.
      if (&each == &outcomes.back()) std::rethrow_exception(each.error());
    }
  } catch (const coterie::start_failed& problem) {
    say(std::string{"start_failed "} + problem.reason());
  } catch (const coterie::worker_crashed&) {
    say("all crashed");
  }
  say(outcome_of_call(loop, pool));
  set_limit(RLIMIT_NOFILE, 1024);
  say(outcome_of_call(loop, pool));
  say("end");
  return 0;
}

int few_processes(int, char**) {
  if (::geteuid() == 0) {
    // Root is not bound by the limit.
    constexpr uid_t nobody = 65534;
    if (::setgid(nobody) != 0 || ::setuid(nobody) != 0) {
      say("cannot become nobody");
      return 77;
    }
  }
  asio::io_context loop;
  rlimit old{};
  ::getrlimit(RLIMIT_NPROC, &old);
  set_limit(RLIMIT_NPROC, 1);
  {
    coterie::pool pool{loop, {.processes = 2}};
    say(outcome_of_call(loop, pool));
    say(outcome_of_call(loop, pool));
    ::setrlimit(RLIMIT_NPROC, &old);
    say(outcome_of_call(loop, pool));
  }
  say("end");
  return 0;
}

// ---- the table --------------------------------------------------------------------------------

using coroutine = awaitable<void> (*)(int, char**);
const std::map<std::string_view, coroutine> coroutines{
    {"idle", idle},
    {"busy", busy},
    {"sleeping", sleeping},
    {"deaf", deaf},
    {"starting", starting},
    {"forked_idle", forked_idle},
    {"forked_busy", forked_busy},
    {"interrupts", interrupts},
    {"commands", commands},
    {"prints", prints},
    {"prints_tagged", prints_tagged},
    {"prints_in_a_chunk", prints_in_a_chunk},
};

// What no worker comes to.
int own_main(int, char**) {
  constexpr int said = 42;
  return std::getenv("COTERIE_WORKER") == nullptr ? said : 1;
}

std::string rights() { return std::to_string(::getuid()) + " " + std::to_string(::geteuid()); }

// Started by a file that is set-user-ID root, with the arguments "drop" or "keep".
int privileged(int argc, char** argv) {
  const std::string_view how = argc > 2 ? argv[2] : "";
  if (how == "drop" && ::setuid(::getuid()) != 0) return 1;
  say("here " + rights());
  asio::io_context loop;
  try {
    coterie::pool pool{loop, {.processes = 1}};
    auto there = pool.apply(rights, asio::use_future);
    run_until_ready(loop, there);
    say("worker " + there.get());
  } catch (const coterie::error& problem) {
    say("refused " + problem.code().message());
  }
  return 0;
}

using plain_main = int (*)(int, char**);
const std::map<std::string_view, plain_main> plain_mains{
    {"other_thread", other_thread},
    {"in_a_static", in_a_static},
    {"in_a_static_after_its_loop", in_a_static_after_its_loop},
    {"leaked", leaked},
    {"child_exits", child_exits},
    {"child_returns_from_main", child_returns_from_main},
    {"few_descriptors", few_descriptors},
    {"few_descriptors_later", few_descriptors_later},
    {"few_processes", few_processes},
    {"own_main", own_main},
    {"privileged", privileged},
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "without_init") return make_a_pool_and_call();
  if (mode == "init_in_parent_only") {
    // Each process that gets here counts itself; none but the first is a parent.
    test::leave_mark(argv[2]);
    if (test::marks_in(argv[2]) == 1) coterie::init(argc, argv);
    return make_a_pool_and_call();
  }
  if (mode == "workers_end_before_init") {
    test::leave_mark(argv[2]);
    if (test::marks_in(argv[2]) > 1) {
      const std::string_view how = argc > 3 ? argv[3] : "0";
      if (how == "abort") std::abort();
      return std::atoi(how.data());
    }
    coterie::init(argc, argv);
    return make_a_pool_and_call();
  }
  if (mode == "workers_stop_before_init") {
    test::leave_mark(argv[2]);
    if (test::marks_in(argv[2]) > 1) ::raise(SIGSTOP);
    coterie::init(argc, argv);
    return wait_for_workers();
  }
  if (mode == "run_void") return coterie::run(argc, argv, run_void);
  if (mode == "run_int") return coterie::run(argc, argv, run_int);
  if (mode == "run_throw") return coterie::run(argc, argv, run_throw);
  if (mode == "run_throw_other") return coterie::run(argc, argv, run_throw_other);
  if (mode == "run_detached") return coterie::run(argc, argv, run_detached);
  if (const auto found = coroutines.find(mode); found != coroutines.end()) {
    return coterie::run(argc, argv, found->second);
  }
  coterie::init(argc, argv);
  if (const auto found = plain_mains.find(mode); found != plain_mains.end()) {
    return found->second(argc, argv);
  }
  std::fprintf(stderr, "fixture: there is no mode \"%s\"\n", argc > 1 ? argv[1] : "");
  return 2;
}
