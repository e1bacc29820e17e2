// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_transport.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "channel/link_offer.hpp"
#include "channel/ring_pair.hpp"
#include "messages/frame.hpp"
#include "processes/exit_status.hpp"
#include "system/descriptor_channel.hpp"
#include "system/shared_memory.hpp"
#include "worker/worker_ring.hpp"
#include "worker/worker_socket.hpp"

namespace coterie::detail {

void leave_without_parent(worker_runtime& runtime) { runtime.exit_at_once(0); }

void leave_without_link(worker_runtime& runtime) { runtime.exit_at_once(exit_lost_link); }

unique_descriptor worker_transport::take_descriptor() {
  throw bad_frame{"it speaks of memory, and shares none"};
}

worker_transport::accepted worker_transport::accept(int socket, worker_runtime& runtime) {
  runtime.wait_for_input(socket);
  link_offer offer;
  channel_received came =
      receive_with_descriptors(socket, std::as_writable_bytes(std::span{&offer, 1}), 0);
  // It was sent in one piece, and arrives in one.
  if (came.count != sizeof offer) leave_without_parent(runtime);
  if (offer.frames_travel == link_offer::way::socket) {
    return {std::make_unique<worker_socket>(socket, std::move(came.descriptors.front()), runtime),
            offer.secret};
  }
  try {
    if (came.descriptor_count != 1) throw std::runtime_error{"its descriptor did not arrive"};
    const std::size_t capacity = std::size_t{1} << offer.log2_capacity;
    auto memory =
        shared_memory::open(std::move(came.descriptors.front()), ring_pair::memory_for(capacity));
    memory.close_descriptor();
    return {std::make_unique<worker_ring>(socket, std::move(memory), capacity,
                                          std::chrono::nanoseconds{offer.busy_poll}, runtime),
            offer.secret};
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "coterie: a worker cannot use the memory shared with its parent: %s\n",
                 problem.what());
    runtime.exit_at_once(exit_no_memory);
  }
}

}  // namespace coterie::detail
