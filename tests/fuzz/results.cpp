// SPDX-License-Identifier: BSL-1.0

// What a parent makes of what a worker sends: results of many types, and exceptions. Each item has
// one outcome; what was accepted is a value like any other, which can be sent on and arrives the
// same; and bytes that lie about sizes take no memory.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <coterie/detail/exception_wire.hpp>
#include <coterie/detail/result_reader.hpp>
#include <coterie/error.hpp>
#include <coterie/remote_info.hpp>

#include "fuzz/result_types.hpp"
#include "fuzz/support.hpp"
#include "messages/frame_reader.hpp"
#include "messages/setup_frame.hpp"
#include "unit/frames.hpp"

namespace {

using namespace coterie::detail;
using frames::bytes;

/// What an exception is, as far as a program can tell.
struct description {
  std::string type;
  std::string text;
  std::string type_there;
  bool operator==(const description&) const = default;
};

description described(const std::exception& problem) {
  const coterie::remote_info* const info = coterie::get_remote_info(problem);
  return {typeid(problem).name(), problem.what(), info != nullptr ? info->type_name() : ""};
}

description described(const std::exception_ptr& problem) {
  fuzz::holds(problem != nullptr, "a failure has an exception");
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& caught) {
    return described(caught);
  }  // anything else ends the run
}

/// As the exception of a worker that got it from a pool of its own.
std::exception_ptr sent_on(const std::exception_ptr& problem) {
  byte_buffer encoded;
  try {
    std::rethrow_exception(problem);
  } catch (...) {
    encode_current_exception(encoded);
  }
  return decode_exception(encoded, {});
}

void take_failure(std::span<const std::byte> payload) {
  const std::exception_ptr problem = decode_exception(payload, {.rank = 1, .pid = 2, .item = 3});
  const description first = described(problem);
  fuzz::holds(described(sent_on(problem)) == first, "an exception arrives as it was sent");
}

template <class R>
void take_value(const R& value) {
  byte_buffer once;
  try {
    coterie::encode(once, value);
  } catch (const std::length_error&) {
    return;  // nested almost too deeply to be read, and too deeply to be written
  }
  byte_buffer twice;
  coterie::encode(twice, coterie::decode<R>(once));
  fuzz::holds(once.size() == twice.size(), "a value arrives as it was sent");
  if constexpr (!fuzz::in_any_order<R>) {
    fuzz::holds(std::ranges::equal(once.view(), twice.view()), "a value arrives as it was sent");
  }
}

template <class R>
void take_values(const frame& arrived) {
  const auto told = arrived.header.as<message::values>();
  const std::size_t first = told.first;
  const std::size_t count = told.count;
  std::size_t next = first;
  read_results<R>(
      first, count, arrived.payload,
      [&]<class Value>(std::size_t index, const Value& value) {
        fuzz::holds(index == next++, "one outcome for each item, in their order");
        if constexpr (!std::is_void_v<R>) take_value<Value>(value);
      },
      [&](std::size_t index, const std::exception_ptr& problem) {
        fuzz::holds(index == next++, "one outcome for each item, in their order");
        described(problem);
      });
  fuzz::holds(next == first + count, "each item has an outcome");
}

void take_values_of_type(std::size_t type, const frame& arrived) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    static_cast<void>(
        ((type == I && (take_values<std::tuple_element_t<I, fuzz::result_types>>(arrived), true)) ||
         ...));
  }(std::make_index_sequence<std::tuple_size_v<fuzz::result_types>>());
}

void take(const frame& arrived) {
  switch (arrived.header.kind) {
    case message_kind::values:
      return take_values_of_type(frames::job_of(arrived.header), arrived);
    case message_kind::failure:
      return take_failure(arrived.payload);
    case message_kind::setup:
      try {
        decode_setup(arrived.payload);
      } catch (const bad_frame&) {
      }
      return;
    default:
      return;
  }
}

}  // namespace

// The input is one frame: its kind, how many items, which type, and the payload.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::script orders{data, size};
  constexpr message_kind kinds[] = {message_kind::values, message_kind::failure,
                                    message_kind::setup};
  const message_kind kind = kinds[orders.up_to(2)];
  message::values told{.job = 0, .chunk = 0, .first = 5, .count = 0, .claimed = 0};
  told.job = orders.byte() % std::tuple_size_v<fuzz::result_types>;
  told.count = orders.byte();
  frame_header header = frame_header::of(told);
  header.kind = kind;
  const auto payload = orders.bytes(size);
  bytes wire;
  frames::append(wire, header, {payload.begin(), payload.end()});
  static frame_reader reader;  // its memory takes longer to make than the rest
  frames::feed(reader, wire);
  const auto arrived = reader.next();
  fuzz::holds(arrived.has_value(), "a frame arrives");
  fuzz::allocations::begin();
  take(*arrived);
  fuzz::holds(fuzz::allocations::in_all() <= 1000 * wire.size() + 500'000,
              "memory follows the bytes that have come");
  return 0;
}
