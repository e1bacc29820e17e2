// SPDX-License-Identifier: BSL-1.0
#include "links/make_link.hpp"

#include <sys/random.h>
#include <sys/socket.h>

#include <bit>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include <boost/system/system_error.hpp>

#include "channel/link_offer.hpp"
#include "channel/ring_pair.hpp"
#include "links/ring_link.hpp"
#include "links/socket_link.hpp"
#include "system/descriptor_channel.hpp"
#include "system/shared_memory.hpp"

namespace coterie::detail {

namespace {

// The socket is new and empty, so that this never waits.
bool send_offer(int socket, const link_offer& offer, int descriptor) {
  const auto bytes = std::as_bytes(std::span{&offer, 1});
  const auto sent = send_with_descriptor(socket, bytes, descriptor, 0).outcome;
  // A worker that is gone already is noticed by its end.
  return sent == channel_outcome::moved || sent == channel_outcome::ended;
}

// Empty if shared memory cannot be had, or cannot be handed over.
std::optional<shared_memory> shared_with_worker(int socket, const ring_settings& rings,
                                                const link_secret& secret) {
  try {
    std::optional memory{shared_memory::create(ring_pair::memory_for(rings.capacity))};
    const link_offer offer{
        .frames_travel = link_offer::way::rings,
        .log2_capacity = static_cast<unsigned char>(std::countr_zero(rings.capacity)),
        .busy_poll = static_cast<std::uint32_t>(rings.busy_poll.count()),
        .secret = secret};
    if (!send_offer(socket, offer, memory->descriptor())) return std::nullopt;
    memory->close_descriptor();
    return memory;
  } catch (const boost::system::system_error&) {
    return std::nullopt;
  }
}

}  // namespace

link_secret make_secret() {
  link_secret secret;
  // So few bytes come at once, or not at all.
  if (::getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size())) {
    throw boost::system::system_error{errno, boost::system::system_category(),
                                      "cannot get random bytes"};
  }
  return secret;
}

made_link make_link(runtime& runs_on, unique_descriptor socket, const ring_settings& rings) {
  made_link made;
  made.secret = make_secret();
  if (rings.capacity > 0) {
    if (auto memory = shared_with_worker(socket.get(), rings, made.secret)) {
      auto link =
          std::make_unique<ring_link>(runs_on, std::move(socket), std::move(*memory), rings);
      made.payload_memory = link->payload_memory();
      made.revocable = true;
      made.wire = std::move(link);
      return made;
    }
    made.lacks_memory = true;
  }
  begun_reader counter;
  if (!send_offer(socket.get(), {.secret = made.secret}, counter.descriptor())) {
    throw boost::system::system_error{errno, boost::system::system_category(),
                                      "cannot send to a worker"};
  }
  made.wire = std::make_unique<socket_link>(runs_on, std::move(socket), std::move(counter));
  return made;
}

}  // namespace coterie::detail
