// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "links/link.hpp"
#include "runtime/runtime.hpp"
#include "runtime/watched_socket.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// What all kinds of links have in common: how they listen on a socket, and what they tell when.
class listening_link : public link, private socket_events {
 public:
  void start(const std::shared_ptr<link_events>& told) override;
  std::optional<frame> next() final;
  void finish() override;
  void close() override;
  [[nodiscard]] bool at_rest() const noexcept override { return socket_->at_rest(); }
  void abandon() noexcept override { socket_->abandon(); }

 protected:
  /// Throws `boost::system::system_error` if the event loop cannot watch the socket.
  listening_link(runtime& runs_on, unique_descriptor socket);

  // For each kind to say.

  /// Begins a read of the socket. Throws `bad_frame`, or `std::bad_alloc` if there is no room for
  /// the frame that comes.
  virtual void read_socket() = 0;
  /// The next whole frame. Throws `bad_frame`.
  virtual std::optional<frame> take_frame() = 0;
  /// So many bytes were read.
  virtual void take_in(std::size_t count) = 0;
  /// The worker has ended: from now on `next` is to give what is there now.
  virtual void take_in_the_rest() = 0;
  /// Frames came of a worker that has something to do, and goes on.
  virtual void heard(expected_news) {}
  /// There is room in the socket, which was waited for.
  virtual void write_on() {}

  // For each kind to use.

  /// Whether frames are to be told of.
  [[nodiscard]] bool tells() const noexcept { return !refused_ && !lost_ && !finishing_; }
  /// Tells that frames may have come, unless nothing more is to be told. Returns whether there were
  /// any.
  bool tell();
  /// The other side cannot be believed: `next` is to say so.
  void disbelieve(std::string problem);
  [[nodiscard]] bool believed() const noexcept { return problem_.empty(); }
  [[nodiscard]] expected_news expects() const {
    return told_ != nullptr ? told_->expects() : expected_news::none;
  }
  [[nodiscard]] bool holds_work() const { return expects() != expected_news::none; }
  [[nodiscard]] watched_socket& socket() const noexcept { return *socket_; }
  [[nodiscard]] runtime& runs_on() const noexcept { return runtime_; }
  /// What a wait is to tell, and keeps alive.
  [[nodiscard]] std::shared_ptr<socket_events> as_told() { return {owner_.lock(), this}; }

 private:
  // socket_events
  void bytes_came(std::size_t count, bool ended) override;
  void room_came() override;

  void listen();
  void conclude();
  bool is_over();

  runtime& runtime_;
  std::unique_ptr<watched_socket> socket_;
  link_events* told_ = nullptr;       // as long as the link is open
  std::weak_ptr<link_events> owner_;  // the same
  bool refused_ = false;              // frames are not to be told of any more
  bool lost_ = false;                 // the same, until `finish`
  bool finishing_ = false;
  bool took_frames_ = false;
  std::string problem_;  // what the other side did; empty: nothing that could be seen
};

}  // namespace coterie::detail
