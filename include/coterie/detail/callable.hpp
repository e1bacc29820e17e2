// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <type_traits>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/function_reference.hpp>
#include <coterie/detail/record.hpp>
#include <coterie/ext/codec.hpp>

namespace coterie::detail {

/// Nothing to send: the type says it all. A lambda without captures is one.
template <class F>
concept stateless_callable =
    std::is_class_v<F> && std::is_empty_v<F> && std::is_default_constructible_v<F>;

template <class F>
concept function_pointer = std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;

template <class F>
inline constexpr bool is_std_function = false;
template <class Signature>
inline constexpr bool is_std_function<std::function<Signature>> = true;

/// Whether the codec can write and read a function object.
template <class F>
inline constexpr bool has_encoding = !facts_of<F>.unknown;

/// How a callable travels. A function object with state travels as a value.
template <class F>
struct callable_traits {
  static consteval bool check() {
    static_assert(!std::is_member_pointer_v<F>,
                  "coterie: a pointer to a member cannot be a task; write a lambda that calls the "
                  "member: [](const T& item) { return item.member(); }");
    static_assert(!is_std_function<F>,
                  "coterie: a std::function hides what it holds, so it cannot travel to another "
                  "process; pass the function itself, or coterie::bind(function, arguments...)");
    if constexpr (!std::is_member_pointer_v<F> && !is_std_function<F>) {
      static_assert(has_encoding<F>,
                    "coterie: a lambda with captures cannot travel to another process, nor can a "
                    "std::bind_front or std::bind, because what they hold cannot be encoded; use "
                    "coterie::bind(function, arguments...) with a lambda without captures, or a "
                    "function object that is an aggregate or has a cereal serialize function");
      if constexpr (has_encoding<F>) return check_travels<F>();
    }
    return false;
  }
  static void encode(byte_buffer& out, const F& value) {
    if constexpr (has_encoding<F>) coterie::encode(out, value);
  }
  static F decode(std::span<const std::byte> bytes) {
    if constexpr (has_encoding<F>) {
      return coterie::decode<F>(bytes);
    } else {
      throw_decode_error("not encodable");
    }
  }
};

template <stateless_callable F>
struct callable_traits<F> {
  static consteval bool check() { return true; }
  static void encode(byte_buffer&, const F&) {}
  static F decode(std::span<const std::byte>) { return F{}; }
};

template <function_pointer F>
struct callable_traits<F> {
  static consteval bool check() { return true; }
  static void encode(byte_buffer& out, F value) {
    const function_reference reference = locate(value);
    out.append(&reference, sizeof reference);
  }
  static F decode(std::span<const std::byte> bytes) {
    function_reference reference;
    if (bytes.size() != sizeof reference) throw_decode_error("a function is cut short");
    std::memcpy(&reference, bytes.data(), sizeof reference);
    return reinterpret_cast<F>(find_function(reference));
  }
};

/// Refuses, with a sentence, what cannot be a task.
template <class F>
consteval bool check_callable() {
  return callable_traits<F>::check();
}

template <class F>
void encode_callable(byte_buffer& out, const F& function) {
  callable_traits<F>::encode(out, function);
}

template <class F>
F decode_callable(std::span<const std::byte> bytes) {
  return callable_traits<F>::decode(bytes);
}

}  // namespace coterie::detail
