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
  void end_empty() {
    out_.resize_down(begin_ + record_alignment);
    close(no_record);
  }

 private:
  void close(std::uint64_t length) {
    const std::size_t missing =
        (record_alignment - out_.size() % record_alignment) % record_alignment;
    std::memset(out_.extend(missing), 0, missing);
    std::memcpy(out_.data() + begin_, &length, sizeof length);
    ended_ = true;
  }

  byte_buffer& out_;
  std::size_t begin_;
  bool ended_ = false;
};

/// Takes the first record off `from`. Throws `decode_error` if it does not fit.
/// A record that says that there is none has no data pointer.
inline std::span<const std::byte> take_record(std::span<const std::byte>& from) {
  if (from.size() < record_alignment) throw decode_error{"a message ends before its last value"};
  const auto length = read_once<std::uint64_t>(from.data());
  from = from.subspan(record_alignment);
  if (length == no_record) return {};
  if (length > from.size()) throw decode_error{"a message ends in the middle of a value"};
  const auto record = from.first(static_cast<std::size_t>(length));
  const std::size_t padded =
      (record.size() + record_alignment - 1) / record_alignment * record_alignment;
  from = from.subspan(padded < from.size() ? padded : from.size());
  return record;
}

}  // namespace coterie::detail
