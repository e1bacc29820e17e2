// SPDX-License-Identifier: BSL-1.0
#include "program/event_loop.hpp"

#if defined(BOOST_ASIO_HAS_IO_URING)
#include <fcntl.h>
#include <liburing.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>
#endif

namespace coterie::detail {

#if defined(BOOST_ASIO_HAS_IO_URING)

const char* event_loop_problem() {
  io_uring ring{};
  const int result = ::io_uring_queue_init(8, &ring, 0);
  if (result == 0) {
    ::io_uring_queue_exit(&ring);
    return nullptr;
  }
  static const std::string text =
      std::string{"this program was built for io_uring, which this kernel refuses ("} +
      std::strerror(-result) +
      "): allow it (sysctl kernel.io_uring_disabled=0, or the container's seccomp profile), or build "
      "coterie and the program with -Devent_loop=epoll";
  return text.c_str();
}

namespace {

// Those that are closed by `exec`, as Asio's are.
std::vector<int> ring_descriptors() {
  std::vector<int> rings;
  for (const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code closed;
    if (std::filesystem::read_symlink(each.path(), closed) != "anon_inode:[io_uring]") continue;
    const int number = std::stoi(each.path().filename());
    if ((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0) rings.push_back(number);
  }
  return rings;
}

}  // namespace

// The child shares the parent's ring. When Asio shuts the loop down it cancels through that what
// the parent is waiting for, and takes the parent's completions. `notify_fork` gives the child's
// loop a ring of its own; but there Asio would wait for what was under way in the parent's. So the
// new ring's descriptor is replaced by one that is no ring, and Asio, told that it cannot wait,
// does not.
void leave_event_loop(boost::asio::execution_context& loop) noexcept {
  try {
    // Told apart by that flag: the new one may have got the number of the one that it replaces.
    const std::vector<int> inherited = ring_descriptors();
    for (const int each : inherited) ::fcntl(each, F_SETFD, 0);
    loop.notify_fork(boost::asio::execution_context::fork_child);
    for (const int each : ring_descriptors()) {
      const int no_ring = ::open("/dev/null", O_RDWR | O_CLOEXEC);
      if (no_ring < 0) continue;
      ::dup3(no_ring, each, O_CLOEXEC);
      ::close(no_ring);
    }
    for (const int each : inherited) ::fcntl(each, F_SETFD, FD_CLOEXEC);
  } catch (const std::exception&) {  // no /proc, no descriptors: the loop goes as Asio lets it go
  }
}

#else

const char* event_loop_problem() { return nullptr; }

// Closing an epoll set leaves the parent's descriptor of it alone.
void leave_event_loop(boost::asio::execution_context&) noexcept {}

#endif

}  // namespace coterie::detail
