// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>

#include <coterie/detail/aggregate.hpp>
#include <coterie/detail/block.hpp>
#include <coterie/detail/travel_check.hpp>
#include <coterie/detail/type_kind.hpp>

namespace coterie::detail {

template <class Out, class T>
void save_value(Out& out, const T& value);

/// Writes values of a raw type as `[u64 number][zeros up to alignof(T)][the values]`.
template <class Out, class T>
void save_block(Out& out, std::span<const T> values) {
  out.put_size(values.size());
  out.align(alignof(T));
  out.put_bytes(values.data(), values.size_bytes());
}

template <class Out>
void save_text(Out& out, std::string_view text) {
  out.put_size(text.size());
  out.put_bytes(text.data(), text.size());
}

// Eight flags a byte.
template <class Out, class T>
void save_bits(Out& out, const T& flags) {
  out.put_size(flags.size());
  std::uint8_t byte = 0;
  std::size_t count = 0;
  for (const bool flag : flags) {
    byte = static_cast<std::uint8_t>(byte | (flag ? 1U << (count % 8) : 0U));
    if (++count % 8 == 0) {
      out.put(byte);
      byte = 0;
    }
  }
  if (count % 8 != 0) out.put(byte);
}

template <class Out, class T>
void save_elements(Out& out, const T& elements) {
  out.check_nesting();
  if constexpr (kind_of<T> == kind::chain) {
    out.put_size(static_cast<std::size_t>(std::distance(elements.begin(), elements.end())));
  } else {
    out.put_size(elements.size());
  }
  for (const auto& element : elements) {
    if constexpr (kind_of<T> == kind::map) {
      save_value(out, element.first);
      save_value(out, element.second);
    } else {
      save_value(out, element);
    }
  }
}

template <class Out, class T>
void save_unique(Out& out, const T& pointer) {
  out.check_nesting();
  out.put(static_cast<std::uint8_t>(pointer != nullptr));
  if (pointer != nullptr) save_value(out, *pointer);
}

/// Writes `value` to `out`: a `writer`, or an `output_archive` if cereal has a part in it. What
/// each kind of value looks like as bytes is what `load_value` reads. Precondition: `T` travels.
template <class Out, class T>
void save_value(Out& out, const T& value) {
  constexpr kind k = kind_of<T>;
  if constexpr (std::is_array_v<T> && !block_copyable<T>) {
    for (const auto& element : value) save_value(out, element);
  } else if constexpr (std::is_class_v<T> && std::is_empty_v<T>) {
    // One byte, so that the bytes that are left limit the size of a container of them, too.
    out.put(std::uint8_t{0});
    if constexpr (has_functions_of_its_own<T>) out.through_cereal(value);
  } else if constexpr (has_functions_of_its_own<T>) {
    out.check_nesting();
    out.through_cereal(value);
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || block_copyable<T>) {
    out.put(value);
  } else if constexpr (k == kind::text || k == kind::text_view) {
    save_text(out, value);
  } else if constexpr (k == kind::path) {
    save_text(out, value.native());
  } else if constexpr (k == kind::vector || k == kind::span) {
    using element = std::remove_const_t<typename T::value_type>;
    if constexpr (block_copyable<element>)
      save_block(out, std::span<const element>(value));
    else
      save_elements(out, value);
  } else if constexpr (k == kind::bits) {
    save_bits(out, value);
  } else if constexpr (k == kind::sequence || k == kind::chain || k == kind::set ||
                       k == kind::map) {
    save_elements(out, value);
  } else if constexpr (k == kind::array) {
    for (const auto& element : value) save_value(out, element);
  } else if constexpr (k == kind::tuple) {
    std::apply([&](const auto&... element) { (save_value(out, element), ...); }, value);
  } else if constexpr (k == kind::optional) {
    out.put(static_cast<std::uint8_t>(value.has_value()));
    if (value.has_value()) save_value(out, *value);
  } else if constexpr (k == kind::variant) {
    if (value.valueless_by_exception()) throw std::bad_variant_access();
    out.put(static_cast<std::uint32_t>(value.index()));
    std::visit([&](const auto& alternative) { save_value(out, alternative); }, value);
  } else if constexpr (k == kind::duration) {
    save_value(out, value.count());
  } else if constexpr (k == kind::time_point) {
    save_value(out, value.time_since_epoch());
  } else if constexpr (k == kind::unique) {
    if constexpr (facts_at<T>().through_cereal) {
      out.check_nesting();
      out.through_cereal(value);
    } else {
      save_unique(out, value);
    }
  } else if constexpr (k == kind::shared || k == kind::adaptor) {
    out.check_nesting();
    out.through_cereal(value);
  } else {
    for_each_field(value, [&](const auto& field) { save_value(out, field); });
  }
}

}  // namespace coterie::detail
