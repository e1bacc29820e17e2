// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "messages/claimed_items.hpp"
#include "messages/frame.hpp"

namespace coterie::detail {

/// Whether news of a worker may come.
enum class expected_news : std::uint8_t {
  none,       // it has nothing to do
  announced,  // it rings when it has news
  silent      // it may have results of which it does not tell at once
};

/// Is told, in turns of its own, what happens on a link. It may call any function of the link, but
/// for `start`.
class link_events {
 public:
  /// Frames may have come: `next` has them. False: nothing more is to be told but `at_rest`.
  [[nodiscard]] virtual bool frames_came() = 0;
  /// The other side has closed its end, and what it had sent before was told. Nothing more is told
  /// until `finish`.
  virtual void lost() = 0;
  /// What `finish` asked for: all that the worker has left behind was told.
  virtual void finished() = 0;
  /// The last wait of a link that was closed has ended.
  virtual void at_rest() = 0;
  /// What the worker has to do.
  [[nodiscard]] virtual expected_news expects() const = 0;

 protected:
  ~link_events() = default;
};

/// The parent's end of one worker: frames both ways. Its users do not know which kind it is.
///
/// What holds for each kind:
/// - Frames arrive whole, in the order in which they were sent, each once; or the link ends.
/// - What one side has flushed arrives even if that side ends at once.
/// - No function waits, and none tells: what there is to tell comes in a turn of its own.
/// - An end of the link is told once, by `lost`; or by `finished`, if that was asked for before. A
///   side that cannot be believed is told by an exception of `next`.
/// - A wait that is going on keeps the `link_events` alive.
/// - Of the pieces of memory that the other side writes, none is believed before it was checked.
///
/// Thread safety: none.
class link {
 public:
  link() = default;
  link(const link&) = delete;
  link& operator=(const link&) = delete;
  virtual ~link() = default;

  /// Begins to listen. Once.
  virtual void start(const std::shared_ptr<link_events>& told) = 0;
  /// The next whole frame, valid until any other call. The bytes of its payload may change while
  /// they are read. Throws `bad_frame`, and then has no more.
  virtual std::optional<frame> next() = 0;
  /// Queues a frame. Nothing leaves before `flush`.
  virtual void send(const frame_header& header, const shared_payload& payload) = 0;
  /// Sends what it can without waiting, and the rest as soon as that is possible. That the other
  /// side is gone is not told here.
  virtual void flush() = 0;
  /// What the worker says that it has claimed of the chunks (`message::run`) that it was sent.
  /// Empty if that cannot be believed. Of a worker that has ended, after `finished`: at the end.
  [[nodiscard]] virtual std::optional<claimed_items> claimed() = 0;
  /// Revokes all that the worker was sent and has not claimed, if it has claimed `seen` still; it
  /// will not run that. A unit that it has begun stays with it. False: nothing was revoked, since
  /// the worker went on, or items are not revoked over this kind of link. Precondition: `seen`
  /// comes from `claimed`, and no function was called since.
  [[nodiscard]] virtual bool revoke(const claimed_items& seen) = 0;

  /// Has what is there told, and then `finished`: the worker has ended, and can write no more. A
  /// process that it has started may write on; what it writes from now on is not read.
  virtual void finish() = 0;
  /// Ends the conversation: the other side sees it at once. Nothing is told any more but `at_rest`,
  /// and that only if a wait is going on. Functions that are called later do nothing.
  virtual void close() = 0;
  /// Whether no wait is going on.
  [[nodiscard]] virtual bool at_rest() const noexcept = 0;
  /// Gives everything back at once, because the event loop is being destroyed.
  virtual void abandon() noexcept = 0;
};

}  // namespace coterie::detail
