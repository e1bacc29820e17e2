// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/read_once.hpp>
#include <coterie/ext/codec.hpp>

namespace coterie::detail {

/// Records follow each other in a message, so that one that does not decode leaves the next ones
/// readable: a length, then that many bytes, both at multiples of `record_alignment` so that views
/// into them are aligned.
inline constexpr std::size_t record_alignment = 16;

/// The length of a record without bytes: its value could not be encoded.
inline constexpr std::uint64_t no_record = ~std::uint64_t{0};

/// Appends a record: construct, append the bytes, `end`. Without `end`, nothing has been appended.
class record_writer {
 public:
  explicit record_writer(byte_buffer& out) : out_{out}, begin_{out.size()} {
    // The message itself begins aligned, and so does every record in it.
    std::memset(out_.extend(record_alignment), 0, record_alignment);
  }
  record_writer(const record_writer&) = delete;
  record_writer& operator=(const record_writer&) = delete;
  ~record_writer() {
    if (!ended_) out_.resize_down(begin_);
  }

  void end() { close(out_.size() - begin_ - record_alignment); }

  /// Makes it a record that says that there is none.
  void end_empty();

 private:
  void close(std::uint64_t length);

  byte_buffer& out_;
  std::size_t begin_;
  bool ended_ = false;
};

/// Takes the first record off `from`. Throws `decode_error` if it does not fit.
/// A record that says that there is none has no data pointer.
std::span<const std::byte> take_record(std::span<const std::byte>& from);

}  // namespace coterie::detail
