// SPDX-License-Identifier: BSL-1.0
#include "processes/lifeline.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <boost/system/system_error.hpp>

#include <coterie/detail/home_process.hpp>

#include "system/safe_descriptor.hpp"

namespace coterie::detail {

namespace {

[[noreturn]] void fail(const char* step) {
  throw boost::system::system_error{errno, boost::system::system_category(), step};
}

struct pipe_ends {
  int read = -1;
  int write = -1;
};

// Of this process. Plain numbers, since a forked child closes them where it must not allocate or
// lock.
pipe_ends ends_of_this_process;
std::mutex making;

void close_in_child() {
  if (ends_of_this_process.write >= 0) ::close(ends_of_this_process.write);
  if (ends_of_this_process.read >= 0) ::close(ends_of_this_process.read);
  ends_of_this_process = {};
}

// Its reading end is there to be opened anew.
int pipe_of_this_process() {
  const std::scoped_lock lock{making};
  static std::optional<home_process> home;
  // In a child that was made without `fork`'s handlers.
  if (home && !home->is_here()) close_in_child();
  if (ends_of_this_process.read < 0) {
    [[maybe_unused]] static const int closing = ::pthread_atfork(nullptr, nullptr, close_in_child);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("cannot make a pipe");
    unique_descriptor read{ends[0]};
    unique_descriptor write{ends[1]};
    read = out_of_the_way(std::move(read));
    write = out_of_the_way(std::move(write));
    ends_of_this_process = {.read = read.release(), .write = write.release()};
    home = home_process{};
  }
  return ends_of_this_process.read;
}

}  // namespace

lifeline::lifeline() {
  const std::string path = "/proc/self/fd/" + std::to_string(pipe_of_this_process());
  read_ = unique_descriptor{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  if (!read_) fail("cannot open a pipe anew through /proc/self/fd");
  read_ = out_of_the_way(std::move(read_));
}

void lifeline::tie(pid_t child, ends_with_parent what) noexcept {
  tie_to_parent(read_.get(), child, what);
}

void tie_to_parent(int reading_end, pid_t child, ends_with_parent what) noexcept {
  ::fcntl(reading_end, F_SETSIG, SIGKILL);
  ::fcntl(reading_end, F_SETOWN, what == ends_with_parent::process_group ? -child : child);
  ::fcntl(reading_end, F_SETFL, O_ASYNC | O_NONBLOCK | O_RDONLY);
}

}  // namespace coterie::detail
