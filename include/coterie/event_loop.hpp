// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

namespace coterie {

// Asio's own macros choose its backend. Objects of one backend are not those of the other: a
// program and a library of different choices hang. So the choice is part of the name of a function
// that each pool begins with (`event_loop_contract` is a parameter of it): they do not link, and
// the linker's message says why. The parameter is empty and costs nothing.

#if defined(BOOST_ASIO_HAS_IO_URING) && defined(BOOST_ASIO_DISABLE_EPOLL)
#define COTERIE_DETAIL_EVENT_LOOP "io_uring"

struct program_for_io_uring_needs_coterie_built_with_event_loop_io_uring {};
namespace detail {
using event_loop_contract = program_for_io_uring_needs_coterie_built_with_event_loop_io_uring;
}

#else
#define COTERIE_DETAIL_EVENT_LOOP "epoll"

struct program_for_epoll_needs_coterie_built_with_event_loop_epoll {};
namespace detail {
using event_loop_contract = program_for_epoll_needs_coterie_built_with_event_loop_epoll;
}

#endif

/// What Asio waits with in this program: "io_uring" or "epoll". coterie's build option `event_loop`
/// chooses it; the flags of pkg-config, CMake and Meson carry it to all files that include Asio.
inline constexpr const char* event_loop = COTERIE_DETAIL_EVENT_LOOP;

#undef COTERIE_DETAIL_EVENT_LOOP

}  // namespace coterie
