// SPDX-License-Identifier: BSL-1.0
#pragma once

// What all examples share and none of them is about: the command line, the clock, tables, a place
// for files.

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <coterie/event_loop.hpp>

namespace example {

/// Reads the command line. Has a value if the program should end now: with 0 after `--help`, with 2
/// after one line that says what is wrong.
inline std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& problem) {
    fmt::print(stderr, "{}: {}\n", argv[0], problem.what());
    return 2;
  }
}

/// The option that nearly every example has.
inline void add_processes(CLI::App& app, int& processes) {
  app.add_option("-p,--processes", processes, "Worker processes; 0 means one for each CPU")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
}

/// Ends the example, and makes it fail as a test, if what must hold does not.
inline void check(bool holds, const std::string& otherwise) {
  if (!holds) throw std::logic_error("wrong result: " + otherwise);
}

/// How long the CPUs of this machine have been idle so far, all together, in seconds.
inline double idle_time() {
  std::string name;
  double user = 0.0, nice = 0.0, system = 0.0, idle = 0.0, waiting = 0.0;
  std::ifstream{"/proc/stat"} >> name >> user >> nice >> system >> idle >> waiting;
  return (idle + waiting) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Runs from its construction.
class stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(clock::now() - start_).count();
  }

  /// How many CPUs were idle meanwhile, on average.
  [[nodiscard]] double idle_cpus() const { return (idle_time() - idle_) / seconds(); }

 private:
  using clock = std::chrono::steady_clock;
  clock::time_point start_ = clock::now();
  double idle_ = idle_time();
};

/// A time in the unit that suits it: "3.21 s", "48.0 ms", "7.5 us", "12 ns".
inline std::string duration(double seconds) {
  if (seconds >= 1.0) return fmt::format("{:.2f} s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (seconds >= 1e-6) return fmt::format("{:.1f} us", seconds * 1e6);
  return fmt::format("{:.0f} ns", seconds * 1e9);
}

/// A number of things with its noun: "1 worker", "4 workers".
template <class Number>
std::string count(Number number, const std::string& noun, const std::string& nouns) {
  return fmt::format("{} {}", number, number == 1 ? noun : nouns);
}
template <class Number>
std::string count(Number number, const std::string& noun) {
  return count(number, noun, noun + "s");
}

/// A new folder, which goes away with all that is in it.
class temporary_folder {
 public:
  temporary_folder() {
    std::string name = std::filesystem::temp_directory_path() / "coterie-example-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category());
    path_ = name;
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// How long a pool took, beside a serial run of the same work.
struct pool_run {
  int workers = 1;
  double seconds = 0.0;

  [[nodiscard]] double speed_up(double serial) const { return serial / seconds; }
  [[nodiscard]] double efficiency(double serial) const { return speed_up(serial) / workers; }
};

/// A table of speed-up (serial time over the pool's) and efficiency (speed-up over workers).
inline void print_speed_up(double serial, std::span<const pool_run> runs) {
  fmt::print("On Asio's event loop over {}:\n", coterie::event_loop);
  fmt::print("{:<12} {:>10} {:>10} {:>12}\n", "", "time", "speed-up", "efficiency");
  fmt::print("{:<12} {:>10} {:>10}\n", "serial", duration(serial), "1.00");
  bool too_good = false;
  for (const pool_run& run : runs) {
    fmt::print("{:<12} {:>10} {:>10.2f} {:>10.0f} %\n", count(run.workers, "worker"),
               duration(run.seconds), run.speed_up(serial), 100.0 * run.efficiency(serial));
    too_good = too_good || run.efficiency(serial) > 1.1;
  }
  if (too_good) {
    fmt::print(
        "(Above 100 %: this process works too, beside its workers, and adds up what they send; or other\n"
        "programs slowed the serial run down.)\n");
  }
}

/// Says so if other programs had the CPUs that the workers of a run wanted: the figures are then
/// not what the machine can do. `idle` CPUs were left beside the serial run.
inline void print_load(double idle, const pool_run& run) {
  const double for_workers = idle + 1;
  if (for_workers > 0.9 * run.workers) return;
  fmt::print(
      "\nOther programs keep this machine busy: they leave {:.1f} CPUs for {}. Run this again\n"
      "when it is idle, to see what a pool gains.\n",
      for_workers, count(run.workers, "worker"));
}

}  // namespace example
