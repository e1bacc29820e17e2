// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "channel/busy_poll.hpp"
#include "channel/byte_ring.hpp"
#include "channel/claims.hpp"
#include "channel/open_results.hpp"
#include "links/link.hpp"
#include "links/link_socket.hpp"
#include "links/look_timer.hpp"
#include "links/parent_segments.hpp"
#include "links/ring_settings.hpp"
#include "messages/frame_reader.hpp"
#include "messages/send_queue.hpp"
#include "system/shared_memory.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// A link through shared memory: a ring each way, segments for large payloads, and a socket on which the
/// sides wake each other and by which each sees that the other is gone. See `ring_pair` and
/// `segments.hpp`.
class ring_link final : public link {
 public:
  /// Throws `boost::system::system_error` if the event loop cannot watch the socket. `memory` must have
  /// been offered to the worker.
  ring_link(const boost::asio::any_io_executor& executor, unique_descriptor socket,
            shared_memory memory, const ring_settings& settings);

  void async_receive(std::shared_ptr<link_listener> listener) override;
  void received(std::size_t count) override;
  std::optional<frame> next() override;
  void look_again(const std::shared_ptr<link_listener>& listener, bool lively) override;
  [[nodiscard]] bool looked(const std::shared_ptr<link_listener>& listener, look_for why) override;
  void stop_receiving() override { socket_.cancel(); }
  bool drain() override;
  [[nodiscard]] std::optional<std::size_t> begun(chunk_id chunk, std::size_t done) override;
  [[nodiscard]] std::shared_ptr<buffer_memory> payload_memory() override {
    return segments_.argument_memory();
  }
  [[nodiscard]] bool takes_back() const override { return true; }
  [[nodiscard]] std::optional<kept_by_worker> take_back(std::size_t least, std::size_t unit,
                                                        spare_next spare) override;
  void send(const frame_header& header, const shared_payload& payload) override;
  void flush(const std::shared_ptr<link_listener>& listener) override;
  void output_possible(const std::shared_ptr<link_listener>& listener) override;
  void close() override;
  [[nodiscard]] bool at_rest() const noexcept override { return socket_.at_rest(); }
  void abandon() noexcept override;

 private:
  // As much is taken in before the event loop gets its turn again.
  static constexpr std::size_t turn = std::size_t{1} << 20U;

  void write();
  void wake();
  [[nodiscard]] std::chrono::nanoseconds next_look() const;
  bool looked_by_timer(const std::shared_ptr<link_listener>& listener);
  void start_polling(const std::shared_ptr<link_listener>& listener);
  void poll_later(const std::shared_ptr<link_listener>& listener);
  bool polled(const std::shared_ptr<link_listener>& listener);
  bool take_in();
  void give_up(const char* problem);

  link_socket socket_;
  shared_memory memory_;
  ring_writer out_;
  ring_reader in_;
  open_results_reader open_;
  revoker claims_;
  bool look_at_open_ = false;  // when the ring is empty
  bool drained_ = false;
  frame_reader reader_;
  send_queue queue_;
  parent_segments segments_;
  std::array<std::byte, 64> doorbells_{};
  std::size_t left_in_turn_ = 0;
  bool waiting_for_room_ = false;
  look_timer timer_;
  boost::asio::any_io_executor executor_;
  busy_poll poll_;
  std::chrono::nanoseconds poll_turn_;
  bool polling_ = false;  // the worker is not told that this side sleeps
  std::string problem_;   // what the worker did to the memory; empty: nothing that could be seen
};

}  // namespace coterie::detail
