// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include <coterie/detail/buffer_memory.hpp>

#include "channel/busy_poll.hpp"
#include "channel/claims.hpp"
#include "channel/open_results.hpp"
#include "channel/ring_channel.hpp"
#include "links/check_timer.hpp"
#include "links/listening_link.hpp"
#include "links/parent_segments.hpp"
#include "links/ring_settings.hpp"
#include "messages/frame_reader.hpp"
#include "messages/send_queue.hpp"
#include "system/shared_memory.hpp"
#include "timing/timing.hpp"

namespace coterie::detail {

/// A link through shared memory: a ring each way, segments for large payloads, and a socket on
/// which the sides wake each other and by which each sees that the other is gone. See `ring_pair`
/// and `segments.hpp`.
class ring_link final : public listening_link {
 public:
  /// Throws `boost::system::system_error` if the event loop cannot watch the socket. `memory` must
  /// have been offered to the worker.
  ring_link(runtime& runs_on, unique_descriptor socket, shared_memory memory,
            const ring_settings& settings);

  /// Where payloads had best be encoded. What is sent from there stays as it is until the worker is
  /// done with its chunk: the sender keeps it.
  [[nodiscard]] std::shared_ptr<buffer_memory> payload_memory() const {
    return segments_.argument_memory();
  }

  void send(const frame_header& header, const shared_payload& payload) override;
  void flush() override;
  [[nodiscard]] std::optional<claimed_items> claimed() override;
  [[nodiscard]] bool revoke(const claimed_items& seen) override;
  void close() override;
  void abandon() noexcept override;

 private:
  // As much is taken in before the event loop gets its turn again.
  static constexpr std::size_t turn = std::size_t{1} << 20U;

  // listening_link
  void read_socket() override;
  std::optional<frame> take_frame() override;
  void take_in(std::size_t count) override;
  void take_in_the_rest() override;
  void heard(expected_news next) override;

  [[nodiscard]] auto later(void (ring_link::*what)());
  void check();
  [[nodiscard]] bool announce_sleep();
  void start_polling(expected_news next);
  void poll();
  [[nodiscard]] bool found_by_polling();

  bool read_ring();
  void write();
  void write_on() override;
  void give_up(const char* problem);

  shared_memory memory_;
  const std::size_t capacity_;  // of each ring
  ring_channel channel_;
  open_results_reader open_;
  revoker claims_;
  frame_reader reader_;
  send_queue queue_;
  parent_segments segments_;
  std::array<std::byte, 64> doorbells_{};
  std::size_t left_in_turn_ = 0;
  bool check_open_ = false;  // when the ring is empty
  bool worker_ended_ = false;
  bool waiting_for_room_ = false;
  check_timer timer_;
  std::chrono::nanoseconds check_in_ = timing::idle_link_check;
  busy_poll poll_;
  std::chrono::nanoseconds poll_turn_;
  bool polling_ = false;  // the worker is not told that this side sleeps
};

}  // namespace coterie::detail
