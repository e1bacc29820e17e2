// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <unordered_map>

#include <coterie/detail/byte_buffer.hpp>

namespace coterie::detail {

/// How many items are to be taken from an input: up to `most`, but no more than `least` when their
/// bytes are enough.
struct cut_limits {
  std::size_t most = 1;
  std::size_t least = 1;
  std::size_t enough_bytes = 0;
};

/// What a job took from its input.
struct cut_result {
  std::size_t count = 0;
  bool exhausted = false;
};

/// Where the items of a call come from, as bytes. This part does not depend on the type of the
/// range.
class input {
 public:
  input() = default;
  input(const input&) = delete;
  input& operator=(const input&) = delete;
  virtual ~input() = default;

  /// Takes items and appends them to `out`. Throws what the range throws: after what was taken
  /// before has gone on its way.
  cut_result cut(const cut_limits& limits, byte_buffer& out);

  /// Why an item could not be encoded; empty if it could. Asked once for each item that failed.
  std::exception_ptr take_error(std::size_t index);

 protected:
  /// Remembers the exception that is being handled: the item behind those in `taken` could not be
  /// encoded.
  void note_error(const cut_result& taken);

 private:
  /// Takes items, and counts each in `taken` when it is in `out`.
  virtual void take(const cut_limits& limits, byte_buffer& out, cut_result& taken) = 0;

  std::unordered_map<std::size_t, std::exception_ptr> errors_;
  std::exception_ptr range_error_;  // not reported yet
  std::size_t taken_ = 0;
};

}  // namespace coterie::detail
