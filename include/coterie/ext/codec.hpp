// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <cstddef>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <cereal/types/bitset.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/stack.hpp>
#include <cereal/types/string.hpp>

#include <coterie/detail/archive.hpp>
#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/load_value.hpp>
#include <coterie/detail/save_value.hpp>
#include <coterie/detail/travel_check.hpp>

// How values become bytes and bytes become values again.
//
// These types travel as they are:
// - numbers, bool, enumerations;
// - std::string, std::vector, std::array, C arrays inside a struct, std::deque, list, forward_list,
//   set, map and their multi and unordered kinds, std::optional, variant, tuple, pair, bitset,
//   queue, stack, priority_queue, complex, std::filesystem::path, durations and time points of
//   std::chrono;
// - std::unique_ptr (to one object, with the default deleter), std::shared_ptr and std::weak_ptr
//   (within one value, pointers to the same object still do so when they arrive);
// - plain aggregates: structs without constructors, base classes, and private or const members,
//   whose fields travel. They need no line of code;
// - std::string_view and std::span<const T> of raw values, which arrive as views into the message.
//
// Any other class travels when it has cereal's functions, and a plain aggregate that has them is
// handled by them, too:
//
//     class account {
//      public:
//       template <class Archive>
//       void serialize(Archive& archive) { archive(owner_, balance_); }
//       ...
//
// or, for a class that is not yours, next to the class: `template <class Archive> void
// serialize(Archive& archive, account& value)`. Split and minimal functions, class versions,
// load_and_construct and registered polymorphic types work as cereal documents them; include
// cereal's header for a type of the standard library that is not named above.
//
// Not for plain aggregates: bit-fields, anonymous unions, more than 100 fields. Beside C arrays of
// 1024 values or more in all, each field must be default-constructible without `explicit`.
//
// Both sides are the same program: bytes have no version and the byte order of the machine. Bytes
// that arrive are still checked: none makes a read beyond the end, a huge allocation, or an invalid
// bool. Enumerations are not checked: any bits make one. Of objects that take no bytes at all
// (their cereal function writes nothing) a container holds 65536 at most.

namespace coterie {

namespace detail {

template <class T>
struct travel_type {
  using type = std::decay_t<T>;
};

template <>
struct travel_type<std::string_view> {
  using type = std::string;
};

template <class T, std::size_t Extent>
struct travel_type<std::span<T, Extent>> {
  using type = std::vector<std::remove_cv_t<T>>;
};

template <std::size_t Size>
struct travel_type<char[Size]> {
  using type = std::string;
};

// The elements of maps and of zipped ranges: constants and references become values.
template <class T, class U>
struct travel_type<std::pair<T, U>> {
  using type = std::pair<typename travel_type<std::remove_cvref_t<T>>::type,
                         typename travel_type<std::remove_cvref_t<U>>::type>;
};

template <class... T>
struct travel_type<std::tuple<T...>> {
  using type = std::tuple<typename travel_type<std::remove_cvref_t<T>>::type...>;
};

/// Whether a `T` that arrives refers to the bytes it was made from, at any depth.
template <class T>
inline constexpr bool holds_view = facts_of<std::remove_cvref_t<T>>.view;

template <class T>
void load_message(std::span<const std::byte> bytes, T& value) {
  const auto load_from = [&](auto&& in) {
    load_value(in, value);
    in.finish();
  };
  if constexpr (facts_of<T>.through_cereal) {
    try {
      load_from(input_archive(bytes));
    } catch (const cereal::Exception& problem) {
      throw decode_error(problem.what());
    }
  } else {
    load_from(reader(bytes));
  }
}

}  // namespace detail

/// Bytes that are not what `decode` was asked for. Derives from `std::runtime_error`.
using detail::decode_error;

/// What may travel to another process and back: can be written by `encode` and read by `decode`, or
/// arrives as its `travel_t`. References and cv-qualifiers of `T` itself do not matter. The syntax
/// cannot check: a user's functions must read what they write.
template <class T>
concept encodable = detail::travels<std::remove_cvref_t<T>>;

/// The type in which a `T` arrives when it must own what it holds: `std::string` for a
/// `std::string_view` or a string literal, `std::vector` for a `std::span`, the same inside a pair
/// or tuple, else `T` without references and cv-qualifiers. What `encode` writes for a `T`,
/// `decode<travel_t<T>>` reads.
template <class T>
using travel_t = typename detail::travel_type<std::remove_cvref_t<T>>::type;

/// Appends `value` as a message to `out`. An array of char (a string literal) is written as the
/// text up to its first null character.
///
/// Blocks of raw values in the message are aligned relative to its start; if views are to be made
/// of it, its first byte must be at a multiple of 16 when it is decoded.
///
/// Errors: `std::bad_alloc`; `std::length_error` if the value nests too deeply;
/// `std::bad_variant_access` for a variant without a value; whatever a user's function throws.
/// `out` then has the bytes it had before. A `T` that cannot travel does not compile, and the first
/// error says why.
template <class T>
void encode(detail::byte_buffer& out, const T& value) {
  if constexpr (detail::check_travels<T>()) {
    if constexpr (std::is_same_v<std::remove_extent_t<T>, char> && std::is_bounded_array_v<T>) {
      detail::writer to(out);
      detail::save_text(to, std::string_view(value, ::strnlen(value, sizeof(T))));
      to.finish();
    } else if constexpr (detail::block_copyable<T>) {
      out.append(&value, sizeof(T));
    } else {
      using archive = std::conditional_t<detail::facts_of<T>.through_cereal, detail::output_archive,
                                         detail::writer>;
      archive to(out);
      detail::save_value(to, value);
      to.finish();
    }
  }
}

/// The same for a span whose size is part of its type: it travels as any other.
template <class T, std::size_t Extent>
  requires(Extent != std::dynamic_extent)
void encode(detail::byte_buffer& out, const std::span<T, Extent>& value) {
  encode(out, std::span<T>(value));
}

/// Makes the value that was written as the message `bytes`, which must be used up by it. If `T` is
/// or holds a `std::string_view` or `std::span`, those refer to `bytes` and are valid while the
/// bytes are there.
///
/// Errors: `decode_error` if the bytes are not a `T`; `std::bad_alloc`; whatever a user's function
/// throws. A `T` that cannot travel does not compile, and the first error says why.
template <class T>
T decode(std::span<const std::byte> bytes) {
  if constexpr (detail::check_travels<T>()) {
    T value{};
    detail::load_message(bytes, value);
    return value;
  } else {
    std::terminate();
  }
}

}  // namespace coterie
