// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "support/processes.hpp"

namespace test {

/// Where the program is that `support/fixture.cpp` makes: tests run it where they must be able to
/// kill the parent of a pool.
inline std::string fixture_path() {
  if (const char* given = std::getenv("COTERIE_TEST_FIXTURE")) return given;
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "integration_fixture";
}

/// A program that runs beside the test, in a process group of its own, with its input and outputs
/// in the test's hands. Killed, with its whole group, when the object ends.
class program {
 public:
  explicit program(std::vector<std::string> arguments, std::string path = fixture_path()) {
    int input[2];
    int output[2];
    int error[2];
    if (::pipe2(input, O_CLOEXEC) != 0 || ::pipe2(output, O_CLOEXEC) != 0 ||
        ::pipe2(error, O_CLOEXEC) != 0) {
      throw std::system_error{errno, std::generic_category(), "pipe"};
    }
    input_ = input[1];
    output_.descriptor = output[0];
    error_.descriptor = error[0];

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, error[1], STDERR_FILENO);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);

    arguments.insert(arguments.begin(), path);
    std::vector<char*> pointers;
    for (std::string& each : arguments) pointers.push_back(each.data());
    pointers.push_back(nullptr);
    const int problem =
        ::posix_spawn(&pid_, path.c_str(), &actions, &attributes, pointers.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(input[0]);
    ::close(output[1]);
    ::close(error[1]);
    if (problem != 0) throw std::system_error{problem, std::generic_category(), path};
  }
  program(const program&) = delete;
  program& operator=(const program&) = delete;
  ~program() {
    ::kill(-pid_, SIGKILL);
    if (!status_) ::waitpid(pid_, nullptr, 0);
    close_input();
    ::close(output_.descriptor);
    ::close(error_.descriptor);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Its children: as a rule, the workers.
  [[nodiscard]] std::vector<pid_t> workers() const { return children_of(pid_); }

  void signal(int number) const { ::kill(pid_, number); }
  /// As a terminal does it: to the program, its workers and what they have started.
  void signal_group(int number) const { ::kill(-pid_, number); }

  void say(const std::string& line) const {
    const std::string text = line + "\n";
    if (::write(input_, text.data(), text.size()) < 0) {
      throw std::system_error{errno, std::generic_category(), "write"};
    }
  }
  void close_input() {
    if (input_ >= 0) ::close(input_);
    input_ = -1;
  }

  /// The next line of its standard output, without its end.
  std::string line() {
    const auto end = std::chrono::steady_clock::now() + deadline;
    for (;;) {
      if (const auto at = output_.text.find('\n'); at != std::string::npos) {
        std::string found = output_.text.substr(0, at);
        output_.text.erase(0, at + 1);
        return found;
      }
      if (!output_.more(end)) {
        throw std::runtime_error{"the program did not say what was expected, but: " + output_.text +
                                 rest_of_error()};
      }
    }
  }

  /// Reads lines until `wanted` has come `times` times.
  void expect(const std::string& wanted, int times = 1) {
    while (times > 0) {
      if (line() == wanted) --times;
    }
  }

  /// What is left on its outputs, up to the end of the last process that has them.
  std::string rest_of_output() { return output_.rest(); }
  std::string rest_of_error() { return error_.rest(); }

  /// How it ended, as `waitpid` tells it. Empty: it has not, within the limit.
  std::optional<int> wait(std::chrono::milliseconds limit = deadline) {
    if (status_) return status_;
    int status = 0;
    const bool ended = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, limit);
    if (ended) status_ = status;
    return status_;
  }

  /// The same for one that must end by itself, by an exit code.
  int exit_code() {
    const auto status = wait();
    if (!status || !WIFEXITED(*status)) return -1;
    return WEXITSTATUS(*status);
  }

 private:
  struct reader {
    int descriptor = -1;
    std::string text;

    // False: there will be no more, or not in time.
    bool more(std::chrono::steady_clock::time_point end) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          end - std::chrono::steady_clock::now());
      pollfd ready{descriptor, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) != 1) return false;
      char bytes[4096];
      const auto count = ::read(descriptor, bytes, sizeof bytes);
      if (count <= 0) return false;
      text.append(bytes, static_cast<std::size_t>(count));
      return true;
    }

    std::string rest() {
      const auto end = std::chrono::steady_clock::now() + deadline;
      while (more(end)) {
      }
      return std::exchange(text, {});
    }
  };

  pid_t pid_ = 0;
  int input_ = -1;
  reader output_;
  reader error_;
  std::optional<int> status_;
};

}  // namespace test
