// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/record.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/item_reader.hpp>
#include <coterie/detail/read_once.hpp>

namespace coterie::detail {

void record_writer::end_empty() {
  out_.resize_down(begin_ + record_alignment);
  close(no_record);
}

void record_writer::close(std::uint64_t length) {
  const std::size_t missing =
      (record_alignment - out_.size() % record_alignment) % record_alignment;
  std::memset(out_.extend(missing), 0, missing);
  std::memcpy(out_.data() + begin_, &length, sizeof length);
  ended_ = true;
}

std::span<const std::byte> take_record(std::span<const std::byte>& from) {
  if (from.size() < record_alignment) throw_decode_error("a message ends before its last value");
  const auto length = read_once<std::uint64_t>(from.data());
  from = from.subspan(record_alignment);
  if (length == no_record) return {};
  if (length > from.size()) throw_decode_error("a message ends in the middle of a value");
  const auto record = from.first(static_cast<std::size_t>(length));
  const std::size_t padded =
      (record.size() + record_alignment - 1) / record_alignment * record_alignment;
  from = from.subspan(padded < from.size() ? padded : from.size());
  return record;
}

void check_raw_items(std::span<const std::byte> bytes, std::size_t size, std::size_t count) {
  if (bytes.size() / size != count || bytes.size() % size != 0) {
    throw_decode_error("the number of bytes does not fit the number of values");
  }
}

std::span<const std::byte> items_between(std::span<const std::byte> bytes, std::size_t size,
                                         std::size_t first, std::size_t end) {
  if (size == 0) {
    for (std::size_t passed = 0; passed < first; ++passed) take_record(bytes);
    return bytes;
  }
  if (first > end || bytes.size() / size < end) {
    throw_decode_error("there are fewer values than were to be read");
  }
  return bytes.first(end * size).subspan(first * size);
}

}  // namespace coterie::detail
