// SPDX-License-Identifier: BSL-1.0
#include "processes/surroundings.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <boost/system/system_error.hpp>

#include "processes/worker_environment.hpp"
#include "program/program.hpp"
#include "system/safe_descriptor.hpp"

namespace coterie {

namespace {

void check_name(const std::string& name) {
  const bool fits =
      !name.empty() && name.find('=') == std::string::npos && name.find('\0') == std::string::npos;
  if (fits && name != detail::worker_environment::variable) return;
  throw std::invalid_argument{"coterie: an environment variable cannot have the name \"" + name +
                              "\": it must not be empty, hold '=' or a zero byte, or be " +
                              detail::worker_environment::variable};
}

}  // namespace

environment& environment::set(const std::string& name, const std::string& value) {
  check_name(name);
  if (value.find('\0') != std::string::npos) {
    throw std::invalid_argument{"coterie: the value of the environment variable \"" + name +
                                "\" holds a zero byte, where it would end"};
  }
  forget(name);
  changes_.push_back(name + "=" + value);
  return *this;
}

environment& environment::unset(const std::string& name) {
  check_name(name);
  forget(name);
  changes_.push_back(name);
  return *this;
}

void environment::forget(const std::string& name) {
  std::erase_if(changes_, [&](const std::string& each) {
    return std::string_view{each}.substr(0, each.find('=')) == name;
  });
}

namespace detail {

namespace {

[[noreturn]] void fail(int error, const std::string& step) {
  throw boost::system::system_error{error, boost::system::system_category(), step};
}

unique_descriptor working_directory(const pool_options& options) {
  const auto wanted = options.working_directory.value();
  const std::string name = wanted.empty() ? "." : wanted.string();
  unique_descriptor directory{::open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  // A directory that can be named may still be one that cannot be entered.
  const bool enters = directory && (::faccessat(directory.get(), ".", X_OK, AT_EACCESS) == 0 ||
                                    errno == ENOSYS || errno == EPERM);  // it cannot be asked
  if (enters) return out_of_the_way(std::move(directory));
  // Where the program is, workers may not be able to be: they begin where the kernel puts them.
  if (wanted.empty()) return {};
  throw std::invalid_argument{
      "coterie: pool_options::working_directory is \"" + name + "\", which cannot be entered: " +
      boost::system::error_code{errno, boost::system::system_category()}.message()};
}

// As it is now: the program may be elsewhere when a worker starts.
output with_whole_name(output where) {
  if (where.where() != output::kind::file) return where;
  if (where.name().empty()) {
    throw std::invalid_argument{"coterie: output::to_file needs the name of a file"};
  }
  return output::to_file(std::filesystem::absolute(where.name()));
}

std::vector<int> allowed_cpus() {
  std::vector<int> allowed;
  // Larger than any kernel's set.
  std::vector<cpu_set_t> set(4096 / sizeof(cpu_set_t));
  const std::size_t bytes = set.size() * sizeof(cpu_set_t);
  if (::sched_getaffinity(0, bytes, set.data()) != 0) return allowed;
  for (int cpu = 0; cpu < static_cast<int>(8 * bytes); ++cpu) {
    if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set.data())) allowed.push_back(cpu);
  }
  return allowed;
}

std::vector<int> cpus_for(const pool_options& options) {
  const auto pinning = options.cpus.value();
  if (pinning.how() == cpu_pinning::kind::none) return {};
  auto allowed = allowed_cpus();
  if (pinning.how() == cpu_pinning::kind::automatic) return allowed;
  if (pinning.cpus().empty()) {
    throw std::invalid_argument{"coterie: cpu_pinning::to needs the number of at least one CPU"};
  }
  for (const int cpu : pinning.cpus()) {
    if (std::ranges::find(allowed, cpu) != allowed.end()) continue;
    throw std::invalid_argument{"coterie: pool_options::cpus names CPU " + std::to_string(cpu) +
                                ", which is not there, or which this process may not use"};
  }
  return pinning.cpus();
}

// What was to go where the program's own goes, if that goes nowhere.
output::kind without_own_stream(output::kind wanted) {
  return wanted == output::kind::file ? wanted : output::kind::discarded;
}

std::string with_rank(std::string text, int rank) {
  constexpr std::string_view place = "{rank}";
  for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at)) {
    text.replace(at, place.size(), std::to_string(rank));
  }
  return text;
}

std::string named(int stream) {
  return stream == STDOUT_FILENO ? "standard output" : "standard error";
}

unique_descriptor open_to_write(const std::string& name, int stream) {
  constexpr mode_t for_all = 0666;  // less the umask
  unique_descriptor file{
      ::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, for_all)};
  if (!file) fail(errno, "cannot open " + name + " for a worker's " + named(stream));
  return out_of_the_way(std::move(file));
}

int checked_nice(const pool_options& options) {
  constexpr int most = 19;
  if (options.nice >= 0 && options.nice <= most) return options.nice;
  throw std::invalid_argument{"coterie: pool_options::nice must be 0 to 19"};
}

}  // namespace

surroundings surroundings_for(const pool_options& options) {
  surroundings around;
  around.ends = options.subprocesses == subprocess_end::with_worker
                    ? ends_with_parent::process_group
                    : ends_with_parent::worker;
  around.directory = working_directory(options);
  around.environment = options.environment.value().changes();
  around.standard_output = with_whole_name(options.standard_output.value());
  around.standard_error = with_whole_name(options.standard_error.value());
  around.nice = checked_nice(options);
  around.cpus = cpus_for(options);
  return around;
}

opened_output open_output(const output& where, int rank, int stream) {
  const program& own = program::instance();
  const bool is_there = stream == STDOUT_FILENO ? own.has_output : own.has_error;
  switch (is_there ? where.where() : without_own_stream(where.where())) {
    case output::kind::inherited:
      return {};
    case output::kind::discarded:
      return {.theirs = open_to_write("/dev/null", stream)};
    case output::kind::file:
      return {.theirs = open_to_write(with_rank(where.name().string(), rank), stream)};
    case output::kind::lines:
      break;
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    fail(errno, "cannot make a pipe for a worker's " + named(stream));
  unique_descriptor pipe{ends[0]};
  unique_descriptor theirs{ends[1]};
  // Where this process has no streams of its own, the ends have their numbers.
  return {.theirs = out_of_the_way(std::move(theirs)),
          .pipe = out_of_the_way(std::move(pipe)),
          .tag = with_rank(where.tag(), rank)};
}

void place(pid_t worker, int rank, const surroundings& around) {
  if (around.nice > 0) {
    errno = 0;
    const int now = ::getpriority(PRIO_PROCESS, 0);
    if (errno == 0) ::setpriority(PRIO_PROCESS, static_cast<id_t>(worker), now + around.nice);
  }
  if (around.cpus.empty()) return;
  const auto cpu =
      static_cast<std::size_t>(around.cpus[static_cast<std::size_t>(rank) % around.cpus.size()]);
  std::vector<cpu_set_t> set(cpu / CPU_SETSIZE + 1);
  const std::size_t bytes = set.size() * sizeof(cpu_set_t);
  CPU_ZERO_S(bytes, set.data());
  CPU_SET_S(cpu, bytes, set.data());
  if (::sched_setaffinity(worker, bytes, set.data()) != 0 && errno != ESRCH) {
    fail(errno, "cannot pin a worker to CPU " + std::to_string(cpu));
  }
}

}  // namespace detail

}  // namespace coterie
