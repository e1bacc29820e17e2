// SPDX-License-Identifier: BSL-1.0
#include "event_loop.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

namespace simulation {

using coterie::detail::runtime_timer;
using coterie::detail::socket_events;
using coterie::detail::unique_descriptor;
using coterie::detail::watched_socket;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

class simulated_timer final : public runtime_timer {
 public:
  explicit simulated_timer(event_loop& loop) : loop_{loop} {}
  ~simulated_timer() override { forget(); }

  void call_at(event_loop::time_point when, event_loop::turn what) override {
    forget();
    set_ = loop_.add(when, std::move(what));
  }
  void cancel() override { forget(); }

 private:
  void forget() {
    if (set_) loop_.remove(*set_);
    set_.reset();
  }

  event_loop& loop_;
  std::optional<event_loop::event_id> set_;
};

// Also by an exception, which no turn may throw.
class leaves_turn {
 public:
  explicit leaves_turn(bool& in_turn) noexcept : in_turn_{in_turn} {}
  leaves_turn(const leaves_turn&) = delete;
  leaves_turn& operator=(const leaves_turn&) = delete;
  ~leaves_turn() { in_turn_ = false; }

 private:
  bool& in_turn_;
};

}  // namespace

/// A real socket. When a wait ends is for chance to say; in between what comes may become more.
class simulated_socket final : public watched_socket {
 public:
  simulated_socket(event_loop& loop, unique_descriptor socket)
      : loop_{loop}, socket_{std::move(socket)} {
    ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
    loop_.sockets_.push_back(this);
  }
  ~simulated_socket() override { std::erase(loop_.sockets_, this); }

  [[nodiscard]] int descriptor() override { return socket_.get(); }
  [[nodiscard]] bool closed() const noexcept override { return closed_; }

  void async_read(std::span<std::byte> to, std::shared_ptr<socket_events> told) override {
    reading_ = true;
    to_ = to;
    reader_ = std::move(told);
  }
  void async_read_nothing(std::shared_ptr<socket_events> told) override {
    reading_ = true;
    loop_.post([this, told = std::move(told)] { end_read(told, 0, false); });
  }
  void async_wait_for_room(std::shared_ptr<socket_events> told) override {
    waiting_ = true;
    writer_ = std::move(told);
  }
  [[nodiscard]] bool reads() const noexcept override { return reading_; }
  [[nodiscard]] bool waits_for_room() const noexcept override { return waiting_; }

  void cancel() override {
    if (!reader_) return;
    // It may have read something before.
    loop_.post([this, told = std::move(reader_)] {
      const auto [count, ended] = loop_.chance_.once_in(2) ? receive() : received{0, true};
      end_read(told, count, ended);
    });
    reader_ = {};
  }
  void close() override {
    if (std::exchange(closed_, true)) return;
    if (!at_rest()) {
      ::shutdown(socket_.get(), SHUT_RDWR);
      cancel();
      if (writer_) loop_.post([this, told = std::exchange(writer_, {})] { end_wait(told); });
    }
    give_back_if_at_rest();
  }
  void abandon() noexcept override {
    closed_ = true;
    reader_ = writer_ = {};
    socket_.reset();
  }

  /// What `poll` is to look for; 0: nothing.
  [[nodiscard]] short wanted() const {
    return static_cast<short>((reader_ ? POLLIN : 0) | (writer_ ? POLLOUT : 0));
  }
  void found(short what) {
    if (reader_ && (what & (POLLIN | POLLHUP | POLLERR)) != 0) {
      loop_.add(loop_.now() + delay(), [this, told = std::exchange(reader_, {})] {
        const auto [count, ended] = closed_ ? received{0, true} : receive();
        end_read(told, count, ended);
      });
    }
    if (writer_ && (what & (POLLOUT | POLLHUP | POLLERR)) != 0) {
      loop_.add(loop_.now() + delay(),
                [this, told = std::exchange(writer_, {})] { end_wait(told); });
    }
  }

 private:
  struct received {
    std::size_t count;
    bool ended;
  };

  // Mostly soon, now and then after what a busy machine takes.
  nanoseconds delay() {
    return loop_.chance_.once_in(16)
               ? loop_.chance_.time_between(microseconds{10}, milliseconds{50})
               : loop_.chance_.time_between(nanoseconds{100}, microseconds{20});
  }
  received receive() {
    const auto count = ::recv(socket_.get(), to_.data(), to_.size(), MSG_DONTWAIT);
    if (count > 0) return {static_cast<std::size_t>(count), false};
    return {0, count == 0 || errno != EAGAIN};
  }
  void end_read(const std::shared_ptr<socket_events>& told, std::size_t count, bool ended) {
    reading_ = false;
    give_back_if_at_rest();
    told->bytes_came(count, ended);
  }
  void end_wait(const std::shared_ptr<socket_events>& told) {
    waiting_ = false;
    give_back_if_at_rest();
    told->room_came();
  }
  void give_back_if_at_rest() {
    if (closed_ && at_rest()) socket_.reset();
  }

  event_loop& loop_;
  unique_descriptor socket_;
  std::span<std::byte> to_;
  std::shared_ptr<socket_events> reader_;
  std::shared_ptr<socket_events> writer_;
  bool reading_ = false;
  bool waiting_ = false;
  bool closed_ = false;
};

void event_loop::enter(turn what) {
  waiting_.push_back(std::move(what));
  if (std::exchange(in_turn_, true)) return;
  const leaves_turn leaves{in_turn_};
  while (!waiting_.empty()) {
    turn next = std::move(waiting_.front());
    waiting_.pop_front();
    next();
    if (after_each_) after_each_();
  }
}

std::unique_ptr<runtime_timer> event_loop::make_timer() {
  return std::make_unique<simulated_timer>(*this);
}

std::unique_ptr<watched_socket> event_loop::watch(unique_descriptor socket) {
  return std::make_unique<simulated_socket>(*this, std::move(socket));
}

event_loop::event_id event_loop::add(time_point when, turn what) {
  const event_id id{when, ++last_event_};
  events_.emplace(id, std::move(what));
  return id;
}

std::optional<event_loop::time_point> event_loop::next() const {
  if (events_.empty()) return std::nullopt;
  return events_.begin()->first.first;
}

void event_loop::run_next() {
  turn next = std::move(events_.begin()->second);
  events_.erase(events_.begin());
  enter(std::move(next));
}

void event_loop::look_at_sockets() {
  std::vector<pollfd> looked_at;
  std::vector<simulated_socket*> sockets;
  for (simulated_socket* const each : sockets_) {
    if (each->wanted() == 0) continue;
    looked_at.push_back({each->descriptor(), each->wanted(), 0});
    sockets.push_back(each);
  }
  if (looked_at.empty() || ::poll(looked_at.data(), looked_at.size(), 0) <= 0) return;
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    if (looked_at[i].revents != 0) sockets[i]->found(looked_at[i].revents);
  }
}

}  // namespace simulation
