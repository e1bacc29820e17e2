// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <coterie/remote_info.hpp>

namespace coterie {

/// What can go wrong in coterie itself, as opposed to in a task. `docs/errors.md` has the same list
/// as one table.
enum class errc {
  /// The pool accepts no more work, because `close` was called. Submit before `close`, or make
  /// another pool.
  pool_closed = 1,

  /// The pool was terminated or destroyed with this work pending. Call `close` and `join` first if
  /// the work must finish.
  pool_terminated,

  /// A pool was made before `init` was called, or in a task. Call `coterie::init(argc, argv)` as
  /// the first statement of `main`, or use `coterie::run`; make pools in the program, not in its
  /// workers.
  not_initialized,

  /// Workers could not be started, or their initializer failed. The reason is in the message.
  start_failed,

  /// The worker died while it held this item. The message names the signal or exit code; the cure
  /// is in the task.
  worker_crashed,

  /// A time limit passed: that of `async_result::get`. The work goes on: wait again, or cancel it.
  timeout,

  /// Bytes do not make the value they should: arguments in the worker, a result or an exception in
  /// the parent. Usually a type's own `serialize` reads other fields than it writes.
  decode_failed,

  /// A result could not be turned into bytes: usually a `serialize` function of its type threw.
  /// (What it throws for an argument is the error of that item as it is.)
  encode_failed,

  /// The value of an `async_result` has already been moved out by `get`. Keep the first one.
  result_taken,

  /// `successful` was called before the result was there. Ask `ready`, or `wait`, first.
  not_ready,

  /// A worker sent bytes that no worker of this version sends. Something in it writes to a
  /// descriptor or to memory that it does not own.
  protocol_violation,

  /// The worker has not loaded the shared library that holds the function. Load it in the
  /// initializer, or link it.
  unknown_function,

  /// `join` was called on a pool that still accepts work. Call `close` or `terminate` first.
  not_closed,

  /// A pool was made in a process whose real and effective user or group differ, as in a
  /// set-user-ID program. Give up one of the two for good first.
  privileged,

  /// A pool, stream or result was used in a process that was forked from the one that made it. Use
  /// it there, or make a pool in this process.
  forked,
};

/// The category of `errc`; its name is "coterie".
const boost::system::error_category& coterie_category() noexcept;

/// Makes `boost::system::error_code code = coterie::errc::timeout` work.
boost::system::error_code make_error_code(errc code) noexcept;

/// The base of what coterie throws for its own reasons. `code()` compares with `errc`; `what()`
/// says what happened and what to do.
class error : public boost::system::system_error {
 public:
  /// `what()` is `details` as it stands: a sentence that needs no addition. If it is empty,
  /// `what()` is the general message of the code.
  explicit error(errc code, const std::string& details = {});

  const char* what() const noexcept override;

 private:
  // Beside the text that `system_error` composes; of a type that is copied without throwing.
  std::runtime_error text_;
};

/// `errc::pool_closed`: work was submitted after `close`.
class pool_closed : public error {
 public:
  explicit pool_closed(const std::string& details = {});
};

/// `errc::pool_terminated`: the pool ended before this work did.
class pool_terminated : public error {
 public:
  explicit pool_terminated(const std::string& details = {});
};

/// `errc::start_failed`: no worker can be started, so nothing that is pending will ever run.
class start_failed : public error {
 public:
  explicit start_failed(const std::string& reason);

  /// Why: the system's message, or what the initializer threw.
  const char* reason() const noexcept;

 private:
  std::runtime_error reason_;
};

/// `errc::timeout`: a time limit passed.
class timeout_error : public error {
 public:
  explicit timeout_error(const std::string& details = {});
};

/// `errc::worker_crashed`: the worker's process ended while it held an item that may have begun.
/// Rank, process id and item are those of `remote_info`; its `type_name` is this class's name.
///
/// `what()` reads like "worker 3 (pid 1234) was killed by SIGSEGV (Segmentation fault) while it
/// held item 17". Of SIGKILL it says that another process sent it, or the system when it ran out of
/// memory.
class worker_crashed : public error, public remote_info {
 public:
  /// At most one of `signal` and `exit_code` has a value; neither has if the end left no trace.
  worker_crashed(const remote_place& place, std::optional<int> signal,
                 std::optional<int> exit_code);

  /// The pool ended the worker. `reason` is a clause that begins with "it".
  worker_crashed(const remote_place& place, const std::string& reason);

  /// From a status as `waitpid` gives it.
  static worker_crashed from_wait_status(const remote_place& place, int wait_status);

  /// The signal that killed the worker, if one did.
  std::optional<int> signal() const noexcept { return signal_; }

  /// The exit code that the worker ended with, if it exited.
  std::optional<int> exit_code() const noexcept { return exit_code_; }

  /// Why the pool ended the worker ("it lost its connection to the pool: ..."); empty if the worker
  /// ended by itself, or was killed by others.
  const char* reason() const noexcept { return reason_.what(); }

 private:
  std::runtime_error reason_;
  std::optional<int> signal_;
  std::optional<int> exit_code_;
};

}  // namespace coterie

template <>
struct boost::system::is_error_code_enum<coterie::errc> : std::true_type {};
