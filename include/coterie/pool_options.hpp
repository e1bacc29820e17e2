// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <chrono>
#include <cstdint>
#include <filesystem>

#include <coterie/option.hpp>
#include <coterie/surroundings.hpp>
#include <coterie/worker_task.hpp>

namespace coterie {

/// How many workers may be lost while they start, and in what time, before a pool gives up. It is
/// what supervisors of Erlang/OTP call restart intensity.
struct restart_intensity {
  /// Starts that were ended from outside, 1 or more; 0 means 16 for each worker of the pool.
  int starts = 0;
  /// The time that is looked back on, more than zero.
  std::chrono::nanoseconds window = std::chrono::seconds{10};
};

/// What becomes of the processes that tasks have started.
enum class subprocess_end {
  /// They end with the worker: when it leaves, crashes or is killed, and with the program.
  with_worker,
  /// Nothing is done about them.
  by_itself,
};

/// How a pool is made. Every member has a default; write `{.processes = 4}` to change some. May be
/// made where it is used, in one expression with a `co_await`, or be named and used for several
/// pools.
struct pool_options {
  /// The number of workers, 1 to `max_processes`; 0 means `available_cpus()`. Any other value makes
  /// the pool's constructor throw `std::invalid_argument`.
  int processes = 0;

  /// Runs once in each worker, replacements included, before its first task: any function that
  /// could be a task, called without arguments. Give it arguments with `bind`. If it throws, the
  /// worker counts as not started, and another one is; when none is left and three starts in a row
  /// have failed by the program's own fault, what is pending fails with `start_failed`.
  worker_task initializer{};

  /// Runs once in each worker that leaves because the pool was closed, after its last task. If it
  /// throws, `pool::join` completes with the exception. A terminated or killed worker runs none;
  /// the pool's destructor terminates.
  worker_task finalizer{};

  /// How long a worker may take from its start until its initializer has returned. A worker that
  /// takes longer is killed and counts as not started. Zero means that there is no limit; a
  /// negative time makes the constructor throw `std::invalid_argument`.
  std::chrono::nanoseconds start_timeout = std::chrono::seconds{60};

  /// When a pool gives up starting workers that are killed from outside before they are ready: by
  /// another process, or by a system that is short of memory. Such a start is tried again after 1
  /// ms, and after twice as long each time, up to a second. When no worker is left and more starts
  /// than the limit were lost within its window, with none that succeeded, what is pending fails
  /// with `start_failed`. The default gives up after some seconds in which every start was killed.
  /// A start that fails by the program's own fault (the initializer threw, the program exited
  /// before `init`, it took longer than `start_timeout`) does not count here: three of them in a
  /// row are enough. A negative number, or a window of zero or less, makes the constructor throw
  /// `std::invalid_argument`.
  restart_intensity restart_limit{};

  /// What becomes of programs that tasks have started and that still run when their worker ends.
  /// Each worker leads a process group; by default all that is left in it is killed (SIGKILL) with
  /// the worker, so that nothing outlives the pool or the program. A process that leaves the group
  /// (`setsid`, `setpgid`) is not found. Ctrl-C at a terminal reaches neither workers nor what they
  /// started: the program decides what it means, and if it ends, so do they.
  subprocess_end subprocesses = subprocess_end::with_worker;

  /// Variables that workers have beside those of the program, or otherwise, or not. See
  /// `environment`.
  option<coterie::environment> environment{};

  /// Where workers begin, replacements too; empty: where the program is when the pool is made,
  /// whatever it does later. What is no directory, or cannot be entered, makes the constructor
  /// throw `std::invalid_argument`.
  option<std::filesystem::path> working_directory{};

  /// Where the standard output of workers goes, and of what their tasks start. See `output`.
  option<output> standard_output{};

  /// The same for standard error. What coterie itself has to say in a worker goes there.
  option<output> standard_error{};

  /// How much nicer than the program workers are to others, 0 to 19 (`setpriority`): a pool of 19
  /// takes what others leave. Any other value makes the constructor throw `std::invalid_argument`.
  int nice = 0;

  /// Whether each worker has a CPU of its own. See `cpu_pinning`. A CPU that the program may not
  /// use makes the constructor throw `std::invalid_argument`.
  option<cpu_pinning> cpus{};

  /// Whether messages to and from workers travel through memory that both sides share, which is
  /// several times faster. Where it cannot be had they travel through a socket, and
  /// `pool_stats::workers_without_shared_memory` says so. The environment variable
  /// `COTERIE_SHARED_MEMORY=0` turns it off for all pools of a program.
  bool shared_memory = true;

  /// How long each side looks for the other's next message before it sleeps, 0 (never) to one
  /// second. A message to a side that is awake takes a microsecond, one to a sleeper about ten;
  /// looking takes a CPU. So no side looks unless there are more CPUs than workers
  /// (`available_cpus()`), one of them for the event loop; or for a while after the kernel has
  /// needed the CPU for another process. The event loop serves everything else in between. Without
  /// shared memory no side looks at all. Any other value makes the constructor throw
  /// `std::invalid_argument`.
  std::chrono::nanoseconds busy_poll = std::chrono::microseconds{50};

  /// Where random numbers of tasks begin: see `this_worker::seed`. Any value will do. Programs that
  /// want other numbers in each run give, say, `std::random_device{}()`.
  std::uint64_t seed = 0;

  /// The largest number of workers that one pool may have.
  static constexpr int max_processes = 10'000;
};

}  // namespace coterie
