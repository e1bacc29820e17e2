// SPDX-License-Identifier: BSL-1.0

// Tasks that fork: the worker answers for them, and the process that a task has forked never does.

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

namespace {

using asio::awaitable;

constexpr int wrong = 1000;

// How the process ended that the last call of `stray` in this worker has forked.
int end_of_stray = 0;
int how_the_stray_ended() { return end_of_stray; }

bool is_stray() {
  const pid_t child = ::fork();
  if (child == 0) return true;
  int status = 0;
  ::waitpid(child, &status, 0);
  end_of_stray = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return false;
}

int stray(int value) { return is_stray() ? value + wrong : value; }
std::string stray_text(int value) { return std::to_string(stray(value)); }
std::string large_stray(int value) {
  return std::string(std::size_t{2} << 20U, stray(value) > wrong ? '!' : '.');
}
void stray_for_nothing(int) { is_stray(); }
int stray_that_throws(int value) {
  if (is_stray()) throw std::runtime_error{"from the child"};
  return value;
}
// Only the third of the items forks, and all are so short that they run in one go.
int stray_in_the_middle(int value) { return value == 2 ? stray(value) : value; }

// Without the handlers of fork.
int hidden_stray(int value) {
  const pid_t child = ::_Fork();
  if (child == 0) return value + wrong;
  ::waitpid(child, nullptr, 0);
  return value;
}

int stray_that_exits(int value) {
  if (is_stray()) std::exit(3);
  return value;
}

// The child computes from the argument, and hands that over by other means.
long sum_in_child(const std::vector<long>& numbers) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error{"pipe"};
  const pid_t child = ::fork();
  if (child == 0) {
    const long sum = std::accumulate(numbers.begin(), numbers.end(), 0L);
    ::_exit(::write(ends[1], &sum, sizeof sum) == sizeof sum ? 0 : 1);
  }
  ::close(ends[1]);
  long sum = -1;
  const bool came = ::read(ends[0], &sum, sizeof sum) == sizeof sum;
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return came ? sum : -1;
}

// Outlives the worker, with all that it has inherited.
int leave_a_child_and_die(const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDOUT_FILENO);
    ::close(STDERR_FILENO);
    test::await_signal(path);
    ::_exit(0);
  }
  ::_exit(3);
}

void stray_initializer() { is_stray(); }
void stray_finalizer() { is_stray(); }

void with_worker(bool shared_memory, auto body) {
  test::run([shared_memory, body]() -> awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor,
                       {.processes = 1, .shared_memory = shared_memory}};
    co_await body(pool);
  });
}

awaitable<void> stray_was_ended(coterie::pool& pool) {
  constexpr int exit_forked = 125;
  co_await test::gives(pool.apply(how_the_stray_ended), exit_forked);
  CHECK(pool.stats().workers_crashed == 0);
  CHECK(pool.stats().workers_started == 1);
}

}  // namespace

TEST_CASE("given a task that forks, when the child comes back, then only the worker answers") {
  const bool shared_memory = GENERATE(true, false);
  with_worker(shared_memory, [](coterie::pool& pool) -> awaitable<void> {
    co_await test::gives(pool.apply(stray, 1), 1);
    co_await stray_was_ended(pool);
    co_await test::gives(pool.apply(stray_text, 2), std::string{"2"});
    co_await stray_was_ended(pool);
    co_await test::gives(pool.apply(stray_that_throws, 3), 3);
    co_await stray_was_ended(pool);
    co_await pool.apply(stray_for_nothing, 4);
    co_await stray_was_ended(pool);
    const std::string large = co_await pool.apply(large_stray, 5);
    CHECK(large == std::string(large.size(), '.'));
    co_await stray_was_ended(pool);
  });
}

TEST_CASE("given items in one chunk, when one of them forks, then each has its own result") {
  const bool shared_memory = GENERATE(true, false);
  with_worker(shared_memory, [](coterie::pool& pool) -> awaitable<void> {
    std::vector<int> numbers(1000);
    std::iota(numbers.begin(), numbers.end(), 0);
    const auto results = co_await pool.map(stray_in_the_middle, numbers, {.chunksize = 1000});
    CHECK(results == numbers);
    co_await stray_was_ended(pool);
    const std::vector<int> few{0, 1, 2};
    const auto each = co_await pool.map(stray, few);
    CHECK(each == few);
  });
}

TEST_CASE("given a child made without fork's handlers, when it comes back, then it is ended too") {
  const bool shared_memory = GENERATE(true, false);
  with_worker(shared_memory, [](coterie::pool& pool) -> awaitable<void> {
    co_await test::gives(pool.apply(hidden_stray, 1), 1);
    co_await test::gives(pool.apply(stray, 2), 2);
  });
}

TEST_CASE("given a task whose child exits, when it is called again, then the worker serves on") {
  const bool shared_memory = GENERATE(true, false);
  with_worker(shared_memory, [](coterie::pool& pool) -> awaitable<void> {
    co_await test::gives(pool.apply(stray_that_exits, 1), 1);
    co_await test::gives(pool.apply(how_the_stray_ended), 3);
    co_await test::gives(pool.apply(stray_that_exits, 2), 2);
  });
}

TEST_CASE("given large arguments, when the task's child reads them, then they are there") {
  const bool shared_memory = GENERATE(true, false);
  with_worker(shared_memory, [](coterie::pool& pool) -> awaitable<void> {
    const std::vector<long> numbers(std::size_t{1} << 18U, 3);
    co_await test::gives(pool.apply(sum_in_child, numbers), 3L << 18U);
  });
}

TEST_CASE("given a task's child that stays, when its worker dies, then the call fails at once") {
  const bool shared_memory = GENERATE(true, false);
  test::run([shared_memory]() -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    test::signal go{executor};
    coterie::pool pool{executor, {.processes = 1, .shared_memory = shared_memory}};
    co_await test::fails_with(pool.apply(leave_a_child_and_die, go.path()),
                              coterie::errc::worker_crashed);
    co_await test::gives(pool.apply(stray, 2), 2);
    go.give();
  });
}

TEST_CASE("given an initializer and a finalizer that fork, when the children come back, they end") {
  const bool shared_memory = GENERATE(true, false);
  test::run([shared_memory]() -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor,
                       {.processes = 1,
                        .initializer = coterie::bind(stray_initializer),
                        .finalizer = coterie::bind(stray_finalizer),
                        .shared_memory = shared_memory}};
    co_await stray_was_ended(pool);
    co_await test::gives(pool.apply(stray, 1), 1);
    pool.close();
    co_await pool.join();
    CHECK(pool.stats().workers_crashed == 0);
  });
}
