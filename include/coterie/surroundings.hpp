// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace coterie {

/// What a pool's workers have in their environment that the program has not, or has otherwise.
/// Everything else is as in the program at the time when a worker starts.
///
/// Thread safety: as for a `std::vector`.
///
/// Example: `{.environment = coterie::environment{}.set("OMP_NUM_THREADS", "1").unset("DISPLAY")}`
class environment {
 public:
  environment() = default;
  /// Sets some variables: `{{"LANG", "C"}, {"TZ", "UTC"}}`; with g++ 12 `set` beside a `co_await`.
  environment(std::initializer_list<std::pair<std::string, std::string>> variables) {
    for (const auto& [name, value] : variables) set(name, value);
  }

  /// Workers have the variable with this value. Throws `std::invalid_argument` for a name that is
  /// empty, or has a `=` or a zero byte in it, for a value with a zero byte, and for
  /// `COTERIE_WORKER`.
  environment& set(const std::string& name, const std::string& value);
  /// Workers do not have the variable. Throws as `set` does.
  environment& unset(const std::string& name);

  /// "NAME=value" for each that is set, "NAME" for each that is taken away. For extensions of
  /// coterie.
  [[nodiscard]] const std::vector<std::string>& changes() const noexcept { return changes_; }

 private:
  void forget(const std::string& name);

  std::vector<std::string> changes_;
};

/// Where a stream of a worker's output goes. In the text that a function here is given, `{rank}`
/// stands for the worker's rank.
///
/// Thread safety: as for a `std::string`.
///
/// Example: `{.standard_output = coterie::output::tagged_lines(),
///            .standard_error = coterie::output::to_file("worker-{rank}.log")}`
class output {
 public:
  enum class kind { inherited, discarded, file, lines };

  /// Where the program's own goes.
  static output inherited() { return {}; }
  /// Nowhere.
  static output discarded() { return output{kind::discarded, {}, {}}; }
  /// To the end of a file, which is made if it is not there. Without `{rank}` in its name all
  /// workers write to the same file. A relative name begins at the working directory that the
  /// program has when the pool is made. A file that cannot be opened fails the start of the worker.
  static output to_file(std::filesystem::path name) {
    return output{kind::file, std::move(name), {}};
  }
  /// Where the program's own goes, in whole lines, each behind `tag`; lines of different workers do
  /// not mix.
  ///
  /// The worker writes into a pipe, and the event loop writes what comes out of it, as the program
  /// itself would print it. While the loop does not run, the pipe fills (64 KiB as a rule), and
  /// then what prints waits; while the program's own stream takes nothing (a terminal that is held,
  /// a pipe without a reader), the loop waits. If that stream is broken, the worker's is too. A
  /// line without an end waits for it, or for the end of the worker; one of more than 64 KiB goes
  /// out in pieces. What a worker wrote before it ended, by a crash as well, is out before its end
  /// is told; `stdout` leaves a worker at the end of each line then. What tasks have started and
  /// `subprocess_end::by_itself` lets live writes into a closed pipe from then on.
  static output tagged_lines(std::string tag = "[{rank}] ") {
    return output{kind::lines, {}, std::move(tag)};
  }

  /// `inherited`.
  output() = default;

  [[nodiscard]] kind where() const noexcept { return kind_; }
  /// The name that was given to `to_file`.
  [[nodiscard]] const std::filesystem::path& name() const noexcept { return name_; }
  /// The tag that was given to `tagged_lines`.
  [[nodiscard]] const std::string& tag() const noexcept { return tag_; }

 private:
  output(kind what, std::filesystem::path name, std::string tag)
      : kind_{what}, name_{std::move(name)}, tag_{std::move(tag)} {}

  kind kind_ = kind::inherited;
  std::filesystem::path name_;
  std::string tag_;
};

/// On which CPUs workers run. A worker that is pinned runs on one CPU, with all its threads.
///
/// Thread safety: as for a `std::vector`.
///
/// Example: `{.processes = 4, .cpus = coterie::cpu_pinning::automatic()}`
class cpu_pinning {
 public:
  enum class kind { none, automatic, listed };

  /// Wherever the kernel likes.
  static cpu_pinning none() { return {}; }
  /// The worker of rank r has the r-th of the CPUs that the program may use, and so on from the
  /// first again.
  static cpu_pinning automatic() { return cpu_pinning{kind::automatic, {}}; }
  /// The worker of rank r has the r-th of these CPUs, and so on from the first again.
  static cpu_pinning to(std::vector<int> cpus) {
    return cpu_pinning{kind::listed, std::move(cpus)};
  }
  /// The same of CPUs one by one, which g++ 12 takes beside a `co_await` too: `to(0, 2)`.
  template <std::same_as<int>... Cpus>
    requires(sizeof...(Cpus) > 0)
  static cpu_pinning to(Cpus... cpus) {
    std::vector<int> all;
    all.reserve(sizeof...(Cpus));
    (all.push_back(cpus), ...);
    return to(std::move(all));
  }

  /// `none`.
  cpu_pinning() = default;

  [[nodiscard]] kind how() const noexcept { return kind_; }
  /// The CPUs that were given to `to`.
  [[nodiscard]] const std::vector<int>& cpus() const noexcept { return cpus_; }

 private:
  cpu_pinning(kind how, std::vector<int> cpus) : kind_{how}, cpus_{std::move(cpus)} {}

  kind kind_ = kind::none;
  std::vector<int> cpus_;
};

}  // namespace coterie
