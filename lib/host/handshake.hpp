// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include "messages/frame.hpp"

namespace coterie::detail {

/// Which messages a worker may send, by what it has sent before. Pure.
///
/// A worker greets with `hello`. When its initializer has run it says `ready`, or `not_ready`. Then
/// it sends results; after it was told to stop also `left`.
class handshake {
 public:
  [[nodiscard]] bool greeted() const noexcept { return stage_ != stage::silent; }
  [[nodiscard]] bool is_ready() const noexcept { return stage_ >= stage::ready; }

  /// Null if the worker may send such a message now; else what is wrong with that, as "it ...".
  [[nodiscard]] const char* objection(message_kind kind) const noexcept {
    const bool starts = kind == message_kind::ready || kind == message_kind::not_ready;
    if (!greeted())
      return kind == message_kind::hello ? nullptr : "it did not begin with its greeting";
    if (kind == message_kind::hello) return "it sent its greeting twice";
    if (is_ready() && starts) return "it was ready, and said so again";
    if (!is_ready() && !starts) return "it sent results before it was ready";
    if (kind == message_kind::left && stage_ != stage::told_to_stop)
      return "it left without having been told to";
    if (is_from_parent(kind)) return "it sent a frame that only the parent sends";
    return nullptr;
  }
  /// The greeting was right.
  void greet() noexcept { stage_ = stage::greeted; }
  void become_ready() noexcept { stage_ = stage::ready; }
  /// Precondition: it is ready.
  void told_to_stop() noexcept { stage_ = stage::told_to_stop; }

 private:
  enum class stage : std::uint8_t { silent, greeted, ready, told_to_stop };
  stage stage_ = stage::silent;
};

}  // namespace coterie::detail
