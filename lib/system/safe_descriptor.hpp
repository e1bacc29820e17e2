// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>

#include <cerrno>

#include <boost/system/system_error.hpp>

#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// The same file under a number above those that descriptors get in a child, so that placing one
/// there never overwrites another. Throws `boost::system::system_error`.
inline unique_descriptor out_of_the_way(unique_descriptor from) {
  constexpr int first_safe = 16;
  if (from.get() >= first_safe) return from;
  unique_descriptor moved{::fcntl(from.get(), F_DUPFD_CLOEXEC, first_safe)};
  if (moved) return moved;
  // Where the limit is lower than that number, the kernel calls the number invalid.
  throw boost::system::system_error{errno == EINVAL ? EMFILE : errno,
                                    boost::system::system_category(),
                                    "cannot duplicate a descriptor"};
}

}  // namespace coterie::detail
