// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>

#include <coterie/detail/buffer_memory.hpp>

#include "channel/link_offer.hpp"
#include "links/link.hpp"
#include "links/ring_settings.hpp"
#include "runtime/runtime.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// A link, and what its kind can do.
struct made_link {
  std::unique_ptr<link> wire;
  link_secret secret{};
  /// Where payloads had best be encoded for it; null: anywhere. What is sent from there stays as it
  /// is until the worker is done with its chunk: the sender keeps it.
  std::shared_ptr<buffer_memory> payload_memory{};
  bool revocable = false;     // whether `revoke` can do anything, ever
  bool lacks_memory = false;  // shared memory was wanted, and could not be had
};

/// Makes the parent's end of a link over `socket`, and offers its kind to the worker at the other
/// end.
/// Throws `boost::system::system_error`. `runs_on` outlives the link.
made_link make_link(runtime& runs_on, unique_descriptor socket, const ring_settings& rings);

}  // namespace coterie::detail
