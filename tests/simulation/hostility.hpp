// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "choices.hpp"
#include "messages/frame.hpp"
#include "system/unique_descriptor.hpp"
#include "worker/worker_transport.hpp"

namespace simulation {

/// What a worker can spoil of the items that it holds, beside that they may fail.
enum spoils : unsigned {
  nothing = 0,
  values = 1,    // wrong ones may come
  losses = 2,    // results that it has sent or published may not be seen
  claims = 4,    // it may say that it has claimed other items than it has begun
  delays = 8,    // results may be found late
  progress = 16  // they may never end, as long as it lives
};

/// What a hostile worker did.
struct hostile_act {
  std::string what;
  unsigned spoils = nothing;
  bool must_be_seen = false;  // soon, by the parent, which is to kill the worker
  bool may_go_on = true;      // with the real worker's code, which must not find nonsense itself
};

/// Does with a worker's link what no worker does: with its socket, and with the memory that it
/// shares with its parent.
class hostility {
 public:
  /// `chance` and `socket` outlive it.
  hostility(choices& chance, int socket) : chance_{chance}, socket_{socket} {}

  /// The link is there. `memory` is what it shares with the parent: nothing, or a `ring_pair` of
  /// this capacity. `counter` is where it notes its claims otherwise. Both outlive it.
  void link_is(coterie::detail::worker_transport& transport, std::size_t capacity, int counter);
  /// What the worker does.
  void is_at(coterie::detail::job_id job, coterie::detail::chunk_id chunk, std::size_t first);
  void got_memory(int descriptor);

  /// Returns what it did; nothing, if that has been told already.
  hostile_act act();
  /// Is told of what takes long, before the parent can see any of it.
  std::function<void(const hostile_act&)> when_it_begins;

 private:
  // On the socket.
  hostile_act random_bytes();
  hostile_act bells();
  hostile_act descriptors();
  hostile_act closes();

  // In the counter.
  hostile_act over_counter();

  // Frames.
  hostile_act wrong_frame();
  void write(const coterie::detail::frame_header& header, std::span<const std::byte> payload);

  // In the memory.
  hostile_act scribble();
  hostile_act over_ring_to_parent();
  hostile_act over_ring_to_worker();
  hostile_act over_bytes_of_ring();
  hostile_act over_claims();
  hostile_act over_open_results();
  hostile_act over_segments();

  [[nodiscard]] bool shares_memory() const { return !memory_.empty(); }
  std::uint64_t odd_number(std::uint64_t near);
  void fill(std::span<std::byte> bytes);
  void ring();

  choices& chance_;
  int socket_;
  coterie::detail::worker_transport* transport_ = nullptr;
  std::span<std::byte> memory_;
  std::size_t capacity_ = 0;
  int counter_ = -1;
  std::vector<coterie::detail::unique_descriptor> segments_;
  coterie::detail::job_id job_ = 0;
  coterie::detail::chunk_id chunk_ = 0;
  std::size_t first_ = 0;
};

}  // namespace simulation
