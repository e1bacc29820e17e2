// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace coterie {

/// Makes workers workers: the first statement of `main`, as `MPI_Init` is.
///
/// In a worker process it serves tasks and never returns. In every other process it remembers the
/// arguments, with which workers will be started, and returns at once. Nothing that must happen
/// only once, in the parent, should come before it: not in `main`, and not in the constructors of
/// static objects.
///
/// What a task finds in its worker: an empty standard input; standard output and error as the
/// program has them, or as `pool_options` say; no Ctrl-C, since the parent decides what it means;
/// none of the parent's other descriptors, threads and values. What an item has printed is flushed
/// before its result is told; of items of a few microseconds, before that of the last of some
/// together. A worker ends when its pool does, and with the parent, however that ends. A worker
/// whose `main` makes a pool without having called `init` says so and ends, and the pool it was
/// started for fails with `start_failed`.
///
/// In a program built for io_uring, on a kernel that refuses it, it says so in one line and ends
/// the program with exit code 69.
///
/// Preconditions: called once, before other threads are started and before the first pool is made,
/// whose constructor throws otherwise. `argv` is copied.
///
/// Example:
/// @code
/// int main(int argc, char** argv) {
///   coterie::init(argc, argv);
///   boost::asio::io_context loop;
///   ...
/// }
/// @endcode
void init(int argc, char** argv);

namespace detail {

/// Prints what ended a program, for `run`.
void report_fatal(const std::exception_ptr& problem) noexcept;

template <class Awaitable>
struct program_result;
template <class T, class Executor>
struct program_result<boost::asio::awaitable<T, Executor>> {
  using type = T;
};

}  // namespace detail

/// `init`, and then `program` on an event loop of its own: a whole `main` in one line.
///
/// `program` is called as `program()`, or else as `program(argc, argv)`, and returns
/// `asio::awaitable<void>` or `asio::awaitable<int>`. Returns when the coroutine has ended and
/// nothing it has started is pending: the coroutine's value, or 0. An exception that leaves the
/// coroutine, or a handler, is printed to standard error, and 1 is returned. The loop runs in the
/// calling thread.
///
/// Ctrl-C ends the program as it ends any other, and its workers with it; destructors do not run.
/// Wait for it with an `asio::signal_set` if they must.
///
/// Example: `int main(int argc, char** argv) { return coterie::run(argc, argv, program); }`
template <class Program>
int run(int argc, char** argv, Program&& program) {
  init(argc, argv);
  boost::asio::io_context loop{1};
  const auto start = [&] {
    if constexpr (std::is_invocable_v<Program&>) {
      return std::invoke(program);
    } else {
      static_assert(std::is_invocable_v<Program&, int, char**>,
                    "coterie: run() calls its program without arguments, or with argc and argv");
      return std::invoke(program, argc, argv);
    }
  };
  using result = typename detail::program_result<decltype(start())>::type;

  std::exception_ptr problem;
  int code = 0;
  if constexpr (std::is_void_v<result>) {
    boost::asio::co_spawn(loop, start, [&](std::exception_ptr what) { problem = std::move(what); });
  } else {
    static_assert(std::convertible_to<result, int>,
                  "coterie: the program of run() returns asio::awaitable<void> or awaitable<int>");
    boost::asio::co_spawn(loop, start, [&](std::exception_ptr what, result value) {
      problem = std::move(what);
      code = static_cast<int>(value);
    });
  }
  try {
    loop.run();
  } catch (...) {
    problem = std::current_exception();
  }
  if (!problem) return code;
  detail::report_fatal(problem);
  return 1;
}

}  // namespace coterie
