// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <catch2/catch.hpp>

#include <coterie/detail/record.hpp>

namespace {

using namespace coterie::detail;

void write(byte_buffer& out, std::string_view text) {
  record_writer record{out};
  out.append(text.data(), text.size());
  record.end();
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr std::string_view texts[] = {"", "a", "exactly sixteen.", "a little more than that", "z"};

}  // namespace

TEST_CASE("given records, when they are taken, then they are what was written, and aligned") {
  byte_buffer message;
  for (const auto text : texts) {
    write(message, text);
    CHECK(message.size() % record_alignment == 0);
  }
  std::span<const std::byte> rest = message;
  for (const auto text : texts) {
    const auto record = take_record(rest);
    CHECK(record.data() != nullptr);
    CHECK(text_of(record) == text);
    CHECK(reinterpret_cast<std::uintptr_t>(record.data()) % record_alignment == 0);
  }
  CHECK(rest.empty());
  CHECK_THROWS_AS(take_record(rest), decode_error);
}

TEST_CASE("given a record that is not ended, when it is dropped, then nothing has been appended") {
  byte_buffer message;
  write(message, "before");
  const std::size_t size = message.size();
  {
    const record_writer record{message};
    message.append("half", 4);
  }
  CHECK(message.size() == size);
  write(message, "after");
  std::span<const std::byte> rest = message;
  CHECK(text_of(take_record(rest)) == "before");
  CHECK(text_of(take_record(rest)) == "after");
}

TEST_CASE("given a record that says there is none, when it is taken, then it has no data") {
  byte_buffer message;
  {
    record_writer record{message};
    message.append("half", 4);
    record.end_empty();
  }
  write(message, "after");
  std::span<const std::byte> rest = message;
  CHECK(take_record(rest).data() == nullptr);
  CHECK(text_of(take_record(rest)) == "after");
}

TEST_CASE("given records that are cut off anywhere, when they are taken, then none is too long") {
  byte_buffer message;
  for (const auto text : texts) write(message, text);
  // The padding behind the last one may be missing.
  for (std::size_t length = 0; length < message.size() - record_alignment + 1; ++length) {
    // A copy of its own, so that reading beyond the end is found.
    byte_buffer part;
    part.append(message.data(), length);
    std::span<const std::byte> rest = part;
    std::size_t taken = 0;
    try {
      for (;;) {
        const auto record = take_record(rest);
        REQUIRE(text_of(record) == texts[taken]);
        ++taken;
      }
    } catch (const decode_error&) {
      REQUIRE(taken < std::size(texts));
    }
  }
}

TEST_CASE("given a length that lies, when the record is taken, then it is refused") {
  for (const std::uint64_t lie :
       {std::uint64_t{17}, std::uint64_t{1} << 40U, no_record - 1, no_record - record_alignment}) {
    byte_buffer message;
    write(message, "exactly sixteen.");
    std::memcpy(message.data(), &lie, sizeof lie);
    std::span<const std::byte> rest = message;
    CHECK_THROWS_AS(take_record(rest), decode_error);
  }
}
