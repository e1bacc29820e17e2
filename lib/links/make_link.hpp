// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "links/link.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// A link, and whether it came out as wanted.
struct made_link {
  std::unique_ptr<link> wire;
  bool lacks_memory = false;  // shared memory was wanted, and could not be had
};

/// Makes the parent's end of a link over `socket`, and offers its kind to the worker at the other end.
/// `ring_capacity` is a power of two, or 0 for a link that takes no memory.
/// Throws `boost::system::system_error`.
made_link make_link(const boost::asio::any_io_executor& executor, unique_descriptor socket,
                    std::size_t ring_capacity);

}  // namespace coterie::detail
