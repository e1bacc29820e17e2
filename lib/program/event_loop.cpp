// SPDX-License-Identifier: BSL-1.0
#include "program/event_loop.hpp"

#include <boost/asio/detail/config.hpp>

#if defined(BOOST_ASIO_HAS_IO_URING)
#include <liburing.h>

#include <cstring>
#include <string>
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

#else

const char* event_loop_problem() { return nullptr; }

#endif

}  // namespace coterie::detail
