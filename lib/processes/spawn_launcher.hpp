// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/error.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/start_dir.hpp>
#include <boost/process/v2/stdio.hpp>

namespace coterie::detail {

/// A launcher of Boost.Process v2's concept that starts programs by `posix_spawn`, whose cost does
/// not grow with the memory of this process: v2's own launcher forks, which takes some 300 ms for
/// each GiB that was touched.
///
/// It takes v2's initializers `process_environment`, `process_start_dir` and `process_stdio`, and
/// others that have `error_code on_setup(spawn_launcher&, const path&, const char* const*)`.
/// Initializers that run code between fork and exec are refused by the compiler: with `posix_spawn`
/// there is no such place. So are those that would not be called at all, such as constant ones of
/// v2.
///
/// A child has no descriptors but standard input, output and error, and those that initializers
/// give to it. Each launcher starts one process. Thread safety: none.
class spawn_launcher : public boost::process::v2::posix::default_launcher {
 public:
  using error_code = boost::system::error_code;
  using path = boost::process::v2::filesystem::path;
  using process = boost::process::v2::basic_process<boost::asio::any_io_executor>;

  /// Throws `std::bad_alloc`.
  spawn_launcher();
  spawn_launcher(const spawn_launcher&) = delete;
  spawn_launcher& operator=(const spawn_launcher&) = delete;
  ~spawn_launcher();

  // For initializers. Each returns 0, or an error number.

  /// The child has `descriptor` under the number `number`. Precondition: `descriptor` is not a
  /// number that was given to the child before.
  [[nodiscard]] int give(int descriptor, int number);
  /// The child begins in a directory.
  [[nodiscard]] int begin_in(const char* directory);
  [[nodiscard]] int begin_in(int directory);
  /// The child leads a process group of its own.
  [[nodiscard]] int lead_group();
  /// The child blocks no signal, and treats these as programs do unless they say otherwise.
  [[nodiscard]] int reset_signals(const sigset_t& to_default);

  /// Starts `executable` with `arguments` behind its name. Sets `failure` if that cannot be done;
  /// the process is then none.
  template <class Arguments, class... Initializers>
  process operator()(boost::asio::any_io_executor executor, error_code& failure,
                     const path& executable, Arguments&& arguments,
                     Initializers&&... initializers) {
    const char* const* const argv = build_argv_(executable, std::forward<Arguments>(arguments));
    failure = {};
    ((failure ? void() : void(failure = prepare(executable, argv, initializers))), ...);
    if (!failure) failure = system_error(start(executable.c_str(), argv));
    if (failure) return process{std::move(executor)};
    try {
      process started{executor, pid, pidfd_};
      pidfd_ = -1;  // it owns the descriptor now
      return started;
    } catch (const boost::system::system_error& refused) {
      failure = refused.code();
    }
    end_unwatched();
    return process{std::move(executor)};
  }

 private:
  static error_code system_error(int number) { return {number, boost::system::system_category()}; }

  // v2's own function for this is in the part of it that is not in headers.
  error_code prepare(const path&, const char* const*,
                     boost::process::v2::process_environment& variables) {
    env = variables.env.data();
    return {};
  }
  error_code prepare(const path&, const char* const*,
                     boost::process::v2::process_start_dir& directory) {
    return system_error(begin_in(directory.start_dir.c_str()));
  }
  error_code prepare(const path&, const char* const*, boost::process::v2::process_stdio& streams);
  template <class Initializer>
  error_code prepare(const path& executable, const char* const* argv, Initializer& initializer) {
    constexpr bool runs_in_child =
        requires(default_launcher& base) { initializer.on_exec_setup(base, executable, argv); };
    static_assert(!runs_in_child,
                  "coterie: this initializer runs code between fork and exec, which posix_spawn "
                  "does not know");
    constexpr bool is_called = requires { initializer.on_setup(*this, executable, argv); };
    static_assert(runs_in_child || is_called,
                  "coterie: this initializer has no on_setup that this launcher could call, and "
                  "would do nothing; is it constant?");
    if constexpr (is_called) {
      return initializer.on_setup(*this, executable, argv);
    } else {
      return {};
    }
  }

  [[nodiscard]] int start(const char* executable, const char* const* argv);
  // A child that cannot be watched must not stay.
  void end_unwatched() noexcept;

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  short flags_ = 0;
  std::vector<int> given_;  // numbers in the child
  int pidfd_ = -1;
};

}  // namespace coterie::detail
