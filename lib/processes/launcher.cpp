// SPDX-License-Identifier: BSL-1.0
#include "processes/launcher.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/system/system_error.hpp>

#include "processes/child_handle.hpp"
#include "processes/own_program.hpp"
#include "processes/spawn_launcher.hpp"
#include "processes/start_errors.hpp"
#include "processes/worker_environment.hpp"
#include "program/program.hpp"
#include "program/rights.hpp"
#include "system/safe_descriptor.hpp"

namespace coterie::detail {

namespace {

[[noreturn]] void fail(int error, const char* step) {
  throw boost::system::system_error{error, boost::system::system_category(), step};
}

[[noreturn]] void fail_to_start(int error, const std::string& path) {
  const std::string why = why_not_started(error, path);
  fail(error, ("cannot start a process" + (why.empty() ? why : " (" + why + ")")).c_str());
}

unique_descriptor nothing_to_read() {
  unique_descriptor file{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  if (!file) fail_to_start(errno, "/dev/null");
  return out_of_the_way(std::move(file));
}

// ---- initializers of the launcher -------------------------------------------------------------

/// The descriptors by which worker and parent know of each other.
struct worker_descriptors {
  int link;
  int lifeline;

  boost::system::error_code on_setup(spawn_launcher& launcher, const spawn_launcher::path&,
                                     const char* const*) const {
    int failure = launcher.give(link, worker_environment::link_descriptor);
    if (failure == 0) failure = launcher.give(lifeline, worker_environment::lifeline_descriptor);
    return {failure, boost::system::system_category()};
  }
};

/// A group that leads itself, so that what tasks start can be ended with their worker, and a
/// terminal's Ctrl-C reaches the program alone: it decides what that means. What the program blocks
/// or ignores for its own ends is not the worker's business.
struct worker_signals {
  boost::system::error_code on_setup(spawn_launcher& launcher, const spawn_launcher::path&,
                                     const char* const*) const {
    sigset_t defaults;
    ::sigemptyset(&defaults);
    for (const int each : {SIGCHLD, SIGINT, SIGPIPE, SIGQUIT, SIGTERM}) {
      ::sigaddset(&defaults, each);
    }
    int failure = launcher.reset_signals(defaults);
    if (failure == 0) failure = launcher.lead_group();
    return {failure, boost::system::system_category()};
  }
};

struct worker_directory {
  int directory;

  boost::system::error_code on_setup(spawn_launcher& launcher, const spawn_launcher::path&,
                                     const char* const*) const {
    const int failure = directory >= 0 ? launcher.begin_in(directory) : 0;
    return {failure, boost::system::system_category()};
  }
};

// The variables of this process as they are now, and what the pool's options say of them.
std::vector<std::string> environment_of(const worker_environment& worker,
                                        const surroundings& around) {
  const auto name_of = [](std::string_view variable) {
    return variable.substr(0, variable.find('='));
  };
  std::vector<std::string> all{worker.assignment()};
  const auto is_set = [&](std::string_view name) {
    return name == worker_environment::variable ||
           std::ranges::any_of(around.environment,
                               [&](const std::string& each) { return name_of(each) == name; });
  };
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    if (!is_set(name_of(*each))) all.emplace_back(*each);
  }
  // A name without a value is one that is taken away.
  std::ranges::copy_if(around.environment, std::back_inserter(all),
                       [](const std::string& each) { return each.find('=') != std::string::npos; });
  return all;
}

// Setting this cannot be undone, but it is the calling thread's alone, and its children's.
template <class Work>
void without_new_privileges(Work work) {
  std::exception_ptr failure;
  std::thread{[&] {
    try {
      if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail(errno, "cannot set no_new_privs");
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  }}.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

launched_worker launch_worker(const boost::asio::any_io_executor& executor, int rank,
                              const surroundings& around) {
  if (const std::string why = why_no_workers(); !why.empty()) {
    fail(EOPNOTSUPP, ("cannot start a process (" + why + ")").c_str());
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    fail(errno, "cannot make a socket pair");
  }
  launched_worker worker;
  worker.link = unique_descriptor{ends[0]};
  const unique_descriptor theirs = out_of_the_way(unique_descriptor{ends[1]});
  const unique_descriptor input = nothing_to_read();
  lifeline tied;

  const own_program own = program_to_start(program::instance().arguments);
  std::vector<const char*> arguments;
  arguments.reserve(own.arguments.size() + 1);
  for (const std::string& each : own.arguments) arguments.push_back(each.c_str());
  arguments.push_back(nullptr);

  worker.output = open_output(around.standard_output, rank, STDOUT_FILENO);
  worker.error = open_output(around.standard_error, rank, STDERR_FILENO);
  const auto descriptor_of = [](const opened_output& opened, int inherited) {
    return opened.theirs ? opened.theirs.get() : inherited;
  };
  const auto environment =
      environment_of({.rank = rank, .parent = ::getpid(), .ends = around.ends}, around);

  const auto launch = [&] {
    boost::system::error_code failure;
    auto started = spawn_launcher{}(
        executor, failure, own.path, arguments.data(),
        boost::process::v2::process_environment{environment},
        boost::process::v2::process_stdio{input.get(), descriptor_of(worker.output, STDOUT_FILENO),
                                          descriptor_of(worker.error, STDERR_FILENO)},
        worker_descriptors{theirs.get(), tied.descriptor()}, worker_signals{},
        worker_directory{around.directory.get()});
    if (failure) fail_to_start(failure.value(), own.path);
    worker.pid = started.id();
    // Waiting is done here, not by Boost.Process, which may block the event loop; and its handle of
    // 1.81 does not give its descriptor away.
    started.detach();
    try {
      worker.process = open_pidfd(worker.pid);
      place(worker.pid, rank, around);
    } catch (const boost::system::system_error&) {
      // A child that cannot be watched, or is not where it should be, must not stay.
      child_handle{.pid = worker.pid, .ends = around.ends}.kill_and_reap();
      throw;
    }
  };
  if (start_rights() == worker_rights::none_to_gain) {
    without_new_privileges(launch);
  } else {
    launch();
  }
  tied.tie(worker.pid, around.ends);
  // A pipe ends with its last writer.
  worker.output.theirs.reset();
  worker.error.theirs.reset();
  return worker;
}

}  // namespace coterie::detail
