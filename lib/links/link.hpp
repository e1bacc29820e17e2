// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include <boost/system/error_code.hpp>

#include <coterie/detail/buffer_memory.hpp>

#include "channel/claims.hpp"
#include "messages/frame.hpp"

namespace coterie::detail {

/// Why a link wants its listener to look for input.
enum class look_for { what_may_have_come, what_comes_soon };

/// What a worker is left with when the rest is taken back: what it was given before `chunk`, and of that the
/// items before the one with the index `items`. No chunk: nothing of what it holds.
struct kept_by_worker {
  chunk_id chunk = 0;
  std::size_t items = 0;
};

/// Who is told what happens on a link. Called from the event loop, never from inside a link's own
/// functions.
class link_listener {
 public:
  /// Bytes came (`received` must be told how many), or with `problem` none will come any more.
  virtual void input_arrived(boost::system::error_code problem, std::size_t count) = 0;
  /// What `flush` left may go on its way now.
  virtual void output_possible() = 0;
  /// Input may have come without a word.
  virtual void time_to_look(look_for why) = 0;

 protected:
  ~link_listener() = default;
};

/// The parent's end of one worker: frames both ways. The scheduler does not know which kind it
/// drives. Not safe for use by several threads at a time.
class link {
 public:
  link() = default;
  link(const link&) = delete;
  link& operator=(const link&) = delete;
  virtual ~link() = default;

  /// Waits for input and then tells the listener, which is kept alive until then. One at a time.
  virtual void async_receive(std::shared_ptr<link_listener> listener) = 0;
  /// Takes in what `input_arrived` announced. To be called for each of them, even after `close`.
  virtual void received(std::size_t count) = 0;
  /// The next whole frame, valid until any other call. The bytes of its payload may change while they are
  /// read. Throws `bad_frame`.
  virtual std::optional<frame> next() = 0;
  /// Has the listener told when to look for input of a worker that goes on, if on this kind of link it
  /// may keep silent. `lively`: it has just sent something.
  virtual void look_again(const std::shared_ptr<link_listener>& listener, bool lively) = 0;
  /// Takes in that it was told so, and returns whether it is time indeed. To be called each time, even
  /// after `close`.
  [[nodiscard]] virtual bool looked(const std::shared_ptr<link_listener>& listener,
                                    look_for why) = 0;
  /// Ends a wait for input; the listener is told.
  virtual void stop_receiving() = 0;
  /// Reads what is there without waiting; false when there is no more. For a worker that has ended.
  virtual bool drain() = 0;
  /// Of a worker that has ended, after `drain`: how many items of `chunk`, the one at which it was, behind the
  /// first `done` may have begun. Empty if what it left behind cannot be believed.
  [[nodiscard]] virtual std::optional<std::size_t> begun(chunk_id chunk, std::size_t done) = 0;

  /// Where payloads had best be encoded for this link; null: anywhere.
  [[nodiscard]] virtual std::shared_ptr<buffer_memory> payload_memory() { return nullptr; }
  /// Queues a frame. Nothing leaves before `flush`.
  virtual void send(const frame_header& header, const shared_payload& payload) = 0;
  /// Whether `take_back` can do anything, ever.
  [[nodiscard]] virtual bool takes_back() const { return false; }
  /// Takes back what the worker was sent and has not begun, if that is `least` items or more; it will not run
  /// them. A unit that it has begun, of `unit` items, stays with it. Tells what the worker keeps; empty if nothing
  /// was taken back.
  [[nodiscard]] virtual std::optional<kept_by_worker> take_back(std::size_t /*least*/,
                                                                std::size_t /*unit*/,
                                                                spare_next /*spare*/) {
    return std::nullopt;
  }

  /// Sends what it can without waiting. If something is left the listener will be told when to try
  /// again. An end of the link is not reported here: the receiving side sees it.
  virtual void flush(const std::shared_ptr<link_listener>& listener) = 0;

  /// Takes in what the listener was told, and sends on. To be called each time, even after `close`.
  virtual void output_possible(const std::shared_ptr<link_listener>& listener) = 0;

  /// Ends the conversation: the other side sees it at once. The listener is still told of each wait
  /// that was going on; when it has passed the last of them on the descriptors are given back.
  virtual void close() = 0;
  /// Whether no wait is going on.
  [[nodiscard]] virtual bool at_rest() const noexcept = 0;
  /// Gives the descriptors back at once, because the event loop is being destroyed.
  virtual void abandon() noexcept = 0;
};

}  // namespace coterie::detail
