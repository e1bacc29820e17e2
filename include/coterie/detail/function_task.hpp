// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/callable.hpp>
#include <coterie/detail/item_reader.hpp>
#include <coterie/detail/parameters.hpp>
#include <coterie/detail/task.hpp>
#include <coterie/ext/codec.hpp>

namespace coterie::detail {

/// An item is the argument.
struct whole_item {
  template <class F, class Item>
  using received = typename detail::received<
      Item, std::remove_cvref_t<std::tuple_element_t<
                0, std::conditional_t<std::is_void_v<parameters_t<F>> ||
                                          std::is_same_v<parameters_t<F>, std::tuple<>>,
                                      std::tuple<Item>, parameters_t<F>>>>>::type;

  template <class F, class Item>
  static constexpr bool callable = std::is_invocable_v<F&, Item>;
  template <class F, class Item>
  static constexpr bool callable_with_lvalue = std::is_invocable_v<F&, Item&>;

  template <class F, class Item>
  static decltype(auto) call(F& function, Item& item) {
    return std::invoke(function, std::move(item));
  }
};

/// Whether a function can be called with the elements of an item, moved or (`Lvalues`) not.
template <class F, class Item, bool Lvalues = false>
inline constexpr bool spreads_into = false;
template <class F, class... A, bool Lvalues>
inline constexpr bool spreads_into<F, std::tuple<A...>, Lvalues> =
    std::is_invocable_v<F&, std::conditional_t<Lvalues, A&, A>...>;
template <class F, class A, class B, bool Lvalues>
inline constexpr bool spreads_into<F, std::pair<A, B>, Lvalues> =
    spreads_into<F, std::tuple<A, B>, Lvalues>;
template <class F, class T, std::size_t N, bool Lvalues>
inline constexpr bool spreads_into<F, std::array<T, N>, Lvalues> =
    spreads_into<F, decltype(std::tuple_cat(std::declval<std::array<T, N>>())), Lvalues>;

/// An item is a tuple of arguments.
struct spread_item {
  template <class F, class Item>
  using received = typename received_all<Item, parameters_t<F>>::type;

  template <class F, class Item>
  static constexpr bool callable = spreads_into<F, Item>;
  template <class F, class Item>
  static constexpr bool callable_with_lvalue = spreads_into<F, Item, true>;

  template <class F, class Item>
  static decltype(auto) call(F& function, Item& item) {
    return std::apply(
        [&]<class... A>(A&... arguments) -> decltype(auto) {
          return std::invoke(function, std::move(arguments)...);
        },
        item);
  }
};

template <class Form, class F, class Item>
using received_t = typename Form::template received<F, Item>;

template <class Returned>
struct call_result {
  using type = travel_t<Returned>;
};
template <>
struct call_result<void> {
  using type = void;
};

/// What a call on one item returns, as it arrives in the parent; `void` if nothing does.
template <class Form, class F, class Item>
using call_result_t = typename call_result<decltype(Form::call(
    std::declval<F&>(), std::declval<received_t<Form, F, Item>&>()))>::type;

/// What encoding a result, or decoding an argument, threw: as an `error` that says so.
/// Precondition of the first and the last: called inside a catch block.
[[noreturn, gnu::cold]] void throw_unencodable_result();
[[noreturn, gnu::cold]] void throw_absent_argument();
[[noreturn, gnu::cold]] void throw_undecodable_argument();

/// Calls `encode`, and says which value was at fault if it throws.
template <class R>
void encode_result(byte_buffer& out, const R& result) {
  try {
    coterie::encode(out, result);
  } catch (...) {
    throw_unencodable_result();
  }
}

template <class T>
T decode_argument(std::span<const std::byte> bytes) {
  if (bytes.data() == nullptr) throw_absent_argument();
  try {
    return coterie::decode<T>(bytes);
  } catch (...) {
    throw_undecodable_argument();
  }
}

/// Runs a function on the items of chunks. This part does not depend on the types.
class item_task : public task {
 public:
  /// `item_size`: of items that lie side by side; 0 if each is a record.
  explicit item_task(std::size_t item_size) noexcept : item_size_{item_size} {}

  void run(std::span<const std::byte> items, std::size_t first, std::size_t end,
           result_sink& sink) final;

 private:
  /// Takes up to `most` items off `rest`, runs them, and returns how many: at least one.
  virtual std::size_t run_some(std::span<const std::byte>& rest, std::size_t most,
                               result_sink& sink) = 0;

  std::size_t item_size_;
};

/// The part that does.
template <class Form, class F, class Item>
class function_task final : public item_task {
 public:
  explicit function_task(F&& function)
      : item_task{raw_item<received> ? sizeof(received) : 0}, function_{std::move(function)} {}

 private:
  using received = received_t<Form, F, Item>;
  using result = call_result_t<Form, F, Item>;

  static constexpr bool raw_results = raw_item<result>;

  std::size_t run_some(std::span<const std::byte>& rest, std::size_t most,
                       result_sink& sink) override {
    if constexpr (raw_results && raw_item<received>) {
      return run_raw(rest, most, sink);
    } else {
      for (std::size_t left = most; left > 0; --left) run_item(rest, sink);
      return most;
    }
  }

  void run_item(std::span<const std::byte>& rest, result_sink& sink) {
    auto taken = take_item<received>(rest);
    try {
      if constexpr (raw_item<received>) {
        run_one(taken, sink);
      } else {
        received item = decode_argument<received>(taken);
        run_one(item, sink);
      }
    } catch (...) {
      return sink.failed();
    }
    sink.succeeded(1);
  }

  void run_one(received& item, result_sink& sink) {
    if constexpr (std::is_void_v<result>) {
      Form::call(function_, item);
    } else if constexpr (raw_results) {
      const result value = Form::call(function_, item);
      sink.results().append(&value, sizeof value);
    } else {
      decltype(auto) value = Form::call(function_, item);
      record_writer record{sink.results()};
      encode_result(sink.results(), value);
      record.end();
    }
  }

  // The whole loop in one place, with hardly anything in it but the function: this is where a
  // million small items spend their time.
  std::size_t run_raw(std::span<const std::byte>& items, std::size_t most, result_sink& sink)
    requires(raw_results)
  {
    constexpr std::size_t row =
        std::max<std::size_t>(result_sink::most_in_a_row / sizeof(result), 1);
    most = std::min(most, row);
    byte_buffer& out = sink.results();
    const std::size_t before = out.size();
    std::byte* const to = out.extend(most * sizeof(result));
    result_progress progress = sink.progress();
    auto rest = items;
    std::size_t done = 0;
    try {
      for (; done < most; ++done) {
        if (done > 0) progress.add(sizeof(result));
        received item = take_item<received>(rest);
        const result value = Form::call(function_, item);
        std::memcpy(to + done * sizeof(result), &value, sizeof(result));
      }
    } catch (...) {
      items = rest;
      out.resize_down(before + done * sizeof(result));
      if (done > 0) sink.succeeded(done);
      sink.failed();
      return done + 1;
    }
    items = rest;
    sink.succeeded(done);
    return done;
  }

  F function_;
};

template <class Form, class F, class Item>
std::unique_ptr<task> make_function_task(std::span<const std::byte> callable) {
  return std::make_unique<function_task<Form, F, Item>>(decode_callable<F>(callable));
}

}  // namespace coterie::detail
