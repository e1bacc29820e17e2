// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <catch2/catch.hpp>

#include "messages/frame.hpp"
#include "messages/setup_frame.hpp"

namespace {

using namespace coterie::detail;

worker_setup example() {
  return {.size = 8,
          .initializer = {.factory = {3, 77}, .callable = {std::byte{1}, std::byte{2}}},
          .finalizer = {.factory = {0, 99}, .callable = {std::byte{9}}}};
}

}  // namespace

TEST_CASE("given a setup, when it is encoded and decoded, then it is the same") {
  byte_buffer bytes;
  encode(bytes, example());
  const worker_setup arrived = decode_setup(bytes);
  CHECK(arrived.size == 8);
  CHECK(arrived.initializer.factory.module == 3);
  CHECK(arrived.initializer.factory.offset == 77);
  CHECK(arrived.initializer.callable == example().initializer.callable);
  CHECK(arrived.finalizer.factory.module == 0);
  CHECK(arrived.finalizer.factory.offset == 99);
  CHECK(arrived.finalizer.callable == example().finalizer.callable);
}

TEST_CASE("given a setup without functions, when it is decoded, then there are none") {
  byte_buffer bytes;
  encode(bytes, {.size = 1, .initializer = {}, .finalizer = {}});
  const worker_setup arrived = decode_setup(bytes);
  CHECK_FALSE(arrived.initializer);
  CHECK_FALSE(arrived.finalizer);
}

TEST_CASE("given a setup that is cut off anywhere, when it is decoded, then it is refused") {
  byte_buffer bytes;
  encode(bytes, example());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    // A copy of its own, so that reading beyond the end is found.
    const std::vector<std::byte> part(bytes.data(), bytes.data() + length);
    CHECK_THROWS_AS(decode_setup(part), bad_frame);
  }
}

TEST_CASE("given a length that lies, when a setup is decoded, then it is refused") {
  byte_buffer bytes;
  encode(bytes, example());
  const std::size_t length_of_initializer = sizeof(std::int32_t) + 2 * sizeof(std::uint64_t);
  for (const std::uint64_t lie :
       {std::uint64_t{1000}, std::uint64_t{1} << 63U, ~std::uint64_t{0}}) {
    std::memcpy(bytes.data() + length_of_initializer, &lie, sizeof lie);
    CHECK_THROWS_AS(decode_setup(bytes), bad_frame);
  }
}
