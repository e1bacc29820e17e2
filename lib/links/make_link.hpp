// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "channel/link_offer.hpp"
#include "links/link.hpp"
#include "links/ring_settings.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// A link, and whether it came out as wanted.
struct made_link {
  std::unique_ptr<link> wire;
  bool lacks_memory = false;  // shared memory was wanted, and could not be had
  link_secret secret{};
};

/// Makes the parent's end of a link over `socket`, and offers its kind to the worker at the other end.
/// Throws `boost::system::system_error`.
made_link make_link(const boost::asio::any_io_executor& executor, unique_descriptor socket,
                    const ring_settings& rings);

}  // namespace coterie::detail
