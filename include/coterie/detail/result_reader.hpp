// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <utility>

#include <coterie/detail/completion.hpp>
#include <coterie/detail/item_reader.hpp>
#include <coterie/ext/codec.hpp>

namespace coterie::detail {

/// Says that a result could not be decoded. For use in a catch block.
std::exception_ptr undecodable();

/// Decodes the results of consecutive items and passes each on: `on_value(index, value)`, with a
/// value that may be moved from, or `on_failure(index, error)`. Bytes that make no sense are
/// failures; nothing is thrown but what those two throw.
template <class R, class OnValue, class OnFailure>
void read_results(std::size_t first, std::size_t count, std::span<const std::byte> bytes,
                  OnValue on_value, OnFailure on_failure) {
  if constexpr (std::is_void_v<R>) {
    for (std::size_t index = first; index < first + count; ++index) on_value(index, held_t<R>{});
  } else {
    std::size_t index = first;
    try {
      if constexpr (raw_item<R>) check_raw_items(bytes, sizeof(R), count);
      for (; index < first + count; ++index) {
        auto next = take_item<R>(bytes);
        if constexpr (raw_item<R>) {
          on_value(index, std::move(next));
        } else {
          std::exception_ptr error;
          std::optional<R> value;
          try {
            value.emplace(coterie::decode<R>(next));
          } catch (...) {
            error = undecodable();
          }
          if (value) {
            on_value(index, std::move(*value));
          } else {
            on_failure(index, std::move(error));
          }
        }
      }
    } catch (const decode_error&) {
      // Where one value ends is lost, and so are those after it.
      const auto error = undecodable();
      for (; index < first + count; ++index) on_failure(index, error);
    }
  }
}

}  // namespace coterie::detail
