// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <coterie/detail/aggregate.hpp>
#include <coterie/detail/block.hpp>
#include <coterie/detail/huge_pages.hpp>
#include <coterie/detail/reader.hpp>
#include <coterie/detail/travel_check.hpp>
#include <coterie/detail/type_kind.hpp>

namespace coterie::detail {

template <class In, class T>
void load_value(In& in, T& value);

template <class T>
struct raw_block {
  const std::byte* bytes;
  std::size_t size;

  bool aligned() const noexcept {
    return reinterpret_cast<std::uintptr_t>(bytes) % alignof(T) == 0;
  }

  // The bytes of a message were written as objects of type T, by memcpy, where T may stand.
  const T* data() const noexcept { return reinterpret_cast<const T*>(bytes); }
};

/// Passes over what `save_block` wrote.
template <class T, class In>
raw_block<T> take_block(In& in) {
  const std::size_t size = in.get_size(sizeof(T));
  in.align(alignof(T));
  return {in.take(size * sizeof(T)), size};
}

template <class In, class T>
void load_block(In& in, T& vector) {
  using element = typename T::value_type;
  const auto block = take_block<element>(in);
  const std::size_t bytes = block.size * sizeof(element);
  if (bytes >= least_for_huge_pages && vector.capacity() < block.size) {
    vector.clear();
    vector.reserve(block.size);
    prefer_huge_pages(vector.data(), bytes);
  }
  if (block.aligned()) {
    // One pass; a resize would first write zeros.
    vector.assign(block.data(), block.data() + block.size);
  } else {
    vector.resize(block.size);
    if (block.size != 0) std::memcpy(vector.data(), block.bytes, bytes);
  }
}

template <class In, class T>
void load_span(In& in, std::span<T>& span) {
  static_assert(
      std::is_const_v<T>,
      "coterie: a std::span<T> arrives as a view into the message, which is read-only: take a "
      "std::span<const T>");
  const auto block = take_block<std::remove_const_t<T>>(in);
  if (!block.aligned()) throw_decode_error("message is not aligned for a view into it");
  span = std::span<T>(block.data(), block.size);
}

template <class In>
std::string_view take_text(In& in) {
  const std::size_t size = in.get_size(1);
  return {reinterpret_cast<const char*>(in.take(size)), size};
}

template <class In, class T>
void load_bits(In& in, T& flags) {
  const auto size = in.template get<std::uint64_t>();
  const std::byte* const bytes = in.take(static_cast<std::size_t>(size / 8 + (size % 8 != 0)));
  flags.resize(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < size; ++i)
    flags[i] = (std::to_integer<unsigned>(bytes[i / 8]) >> (i % 8) & 1U) != 0;
}

// Memory grows with the elements that are really there, not with the number that is claimed.
template <class In, class T>
void load_elements(In& in, T& elements) {
  in.check_nesting();
  const std::size_t size = in.get_size();
  elements.clear();
  if constexpr (requires { elements.reserve(size); })
    elements.reserve(in.reservable(size, sizeof(typename T::value_type)));
  for (std::size_t i = 0; i < size; ++i) {
    if constexpr (kind_of<T> == kind::map) {
      typename T::key_type key{};
      typename T::mapped_type mapped{};
      load_value(in, key);
      load_value(in, mapped);
      elements.emplace_hint(elements.end(), std::move(key), std::move(mapped));
    } else if constexpr (kind_of<T> == kind::set) {
      typename T::value_type element{};
      load_value(in, element);
      elements.emplace_hint(elements.end(), std::move(element));
    } else {
      load_value(in, elements.emplace_back());
    }
  }
}

template <class In, class T>
void load_chain(In& in, T& elements) {
  in.check_nesting();
  const std::size_t size = in.get_size();
  elements.clear();
  auto last = elements.before_begin();
  for (std::size_t i = 0; i < size; ++i) {
    last = elements.emplace_after(last);
    load_value(in, *last);
  }
}

template <class In, class T>
void load_unique(In& in, T& pointer) {
  in.check_nesting();
  pointer.reset();
  if (in.get_bool()) {
    auto pointee = std::make_unique<std::remove_const_t<typename T::element_type>>();
    load_value(in, *pointee);
    pointer = std::move(pointee);
  }
}

template <class In, class T>
void load_variant(In& in, T& variant) {
  const auto index = in.template get<std::uint32_t>();
  const bool found = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return ((index == I && (load_value(in, variant.template emplace<I>()), true)) || ...);
  }(std::make_index_sequence<std::variant_size_v<T>>());
  if (!found) throw_decode_error("message has an alternative that the variant does not have");
}

/// Reads into `value` what `save_value` wrote, from a `reader`, or an `input_archive` if cereal has
/// a part in it. Throws `decode_error` if the bytes are wrong; `value` is then valid and has any
/// value.
/// Precondition: `T` travels.
template <class In, class T>
void load_value(In& in, T& value) {
  constexpr kind k = kind_of<T>;
  if constexpr (std::is_array_v<T> && !block_copyable<T>) {
    for (auto& element : value) load_value(in, element);
  } else if constexpr (std::is_class_v<T> && std::is_empty_v<T>) {
    if (in.template get<std::uint8_t>() != 0)
      throw_decode_error("message has a value for a type that has none");
    if constexpr (has_functions_of_its_own<T>) in.through_cereal(value);
  } else if constexpr (has_functions_of_its_own<T>) {
    in.check_nesting();
    in.through_cereal(value);
  } else if constexpr (block_copyable<T>) {
    in.get(value);
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    value = static_cast<T>(in.get_bool());
  } else if constexpr (k == kind::text) {
    value.assign(take_text(in));
  } else if constexpr (k == kind::text_view) {
    value = take_text(in);
  } else if constexpr (k == kind::path) {
    value = T(std::string(take_text(in)));
  } else if constexpr (k == kind::vector) {
    if constexpr (block_copyable<typename T::value_type>)
      load_block(in, value);
    else
      load_elements(in, value);
  } else if constexpr (k == kind::span) {
    load_span(in, value);
  } else if constexpr (k == kind::bits) {
    load_bits(in, value);
  } else if constexpr (k == kind::sequence || k == kind::set || k == kind::map) {
    load_elements(in, value);
  } else if constexpr (k == kind::chain) {
    load_chain(in, value);
  } else if constexpr (k == kind::array) {
    for (auto& element : value) load_value(in, element);
  } else if constexpr (k == kind::tuple) {
    std::apply([&](auto&... element) { (load_value(in, element), ...); }, value);
  } else if constexpr (k == kind::optional) {
    value.reset();
    if (in.get_bool()) load_value(in, value.emplace());
  } else if constexpr (k == kind::variant) {
    load_variant(in, value);
  } else if constexpr (k == kind::duration) {
    typename T::rep count{};
    load_value(in, count);
    value = T(count);
  } else if constexpr (k == kind::time_point) {
    typename T::duration since{};
    load_value(in, since);
    value = T(since);
  } else if constexpr (k == kind::unique) {
    if constexpr (facts_at<T>().through_cereal) {
      in.check_nesting();
      in.through_cereal(value);
    } else {
      load_unique(in, value);
    }
  } else if constexpr (k == kind::shared || k == kind::adaptor) {
    in.check_nesting();
    in.through_cereal(value);
  } else {
    for_each_field(value, [&](auto& field) { load_value(in, field); });
  }
}

}  // namespace coterie::detail
