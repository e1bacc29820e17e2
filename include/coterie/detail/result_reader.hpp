// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <utility>

#include <coterie/detail/exception_wire.hpp>
#include <coterie/detail/item_reader.hpp>
#include <coterie/detail/receiver.hpp>
#include <coterie/error.hpp>
#include <coterie/ext/codec.hpp>

namespace coterie::detail {

/// For use in a catch block.
inline std::exception_ptr undecodable() {
  return std::make_exception_ptr(
      error{errc::decode_failed,
            "the result of the task could not be decoded: " + text_of_current_exception()});
}

/// Decodes the results of consecutive items and passes each on: `on_value(index, value)`, with a value that
/// may be moved from, or `on_failure(index, problem)`. Bytes that make no sense are failures; nothing is thrown but what
/// those two throw.
template <class R, class OnValue, class OnFailure>
void read_results(std::size_t first, std::size_t count, std::span<const std::byte> bytes,
                  OnValue on_value, OnFailure on_failure) {
  if constexpr (std::is_void_v<R>) {
    for (std::size_t index = first; index < first + count; ++index) on_value(index, held_t<R>{});
  } else {
    std::size_t index = first;
    try {
      item_reader<R> reader{bytes, count};
      for (; index < first + count; ++index) {
        auto next = reader.next();
        if constexpr (item_reader<R>::raw) {
          on_value(index, std::move(next));
        } else {
          std::exception_ptr problem;
          std::optional<R> value;
          try {
            value.emplace(coterie::decode<R>(next));
          } catch (...) {
            problem = undecodable();
          }
          if (value) {
            on_value(index, std::move(*value));
          } else {
            on_failure(index, std::move(problem));
          }
        }
      }
    } catch (const decode_error&) {
      // Where one value ends is lost, and so are those after it.
      const auto problem = undecodable();
      for (; index < first + count; ++index) on_failure(index, problem);
    }
  }
}

}  // namespace coterie::detail
