// SPDX-License-Identifier: BSL-1.0
#pragma once

// What all contenders written in C++ share. A contender is a program: it reads numbers from its
// command line, works, checks what came out, and prints one JSON object. `bench/run` does the rest.

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bench {

/// `--name VALUE`, for a whole number or a text. What `value` points to has the default.
struct option {
  const char* name;
  std::variant<std::int64_t*, std::string*> value;
  const char* help;
};

/// Reads the command line. Ends the process after `--help`, and with 2 after one line that says
/// what is wrong.
void parse(int argc, char** argv, const std::string& about, const std::vector<option>& options);

/// Ends the process with 1 after one line on standard error.
[[noreturn]] void fail(const std::string& why);

/// Ends the process with 77, which `bench/run` takes for "cannot take part", and says why.
[[noreturn]] void cannot_take_part(const std::string& why);

/// Nothing is printed for a run whose result is wrong.
inline void expect(bool right, const char* what) {
  if (!right) fail(std::string{"wrong result: "} + what);
}

/// The result of the run, as one JSON object on standard output. Times are in seconds.
void print(std::initializer_list<std::pair<const char*, double>> metrics);

/// The CPU time, user's and system's, that all threads of this process have used, in seconds. That
/// of its children is not in it.
double cpu_seconds();

/// Whether this process has no children: none that runs, and no zombie.
bool no_child_left();

class stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(clock::now() - start_).count();
  }

 private:
  using clock = std::chrono::steady_clock;
  clock::time_point start_ = clock::now();
};

/// The value below which the given part (0 to 1) of the values lie.
double quantile(std::vector<double> values, double part);

}  // namespace bench
