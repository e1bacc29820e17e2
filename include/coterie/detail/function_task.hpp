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
#include <coterie/detail/exception_wire.hpp>
#include <coterie/detail/item_reader.hpp>
#include <coterie/detail/parameters.hpp>
#include <coterie/detail/task.hpp>
#include <coterie/error.hpp>
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

/// Calls `encode`, and says which value was at fault if it throws.
template <class R>
void encode_result(byte_buffer& out, const R& result) {
  try {
    coterie::encode(out, result);
  } catch (...) {
    throw error{errc::encode_failed,
                "the result of the task could not be encoded: " + text_of_current_exception()};
  }
}

template <class T>
T decode_argument(std::span<const std::byte> bytes) {
  if (bytes.data() == nullptr) {
    // The parent knows why, and will say so.
    throw error{errc::encode_failed, "the argument of the task could not be encoded"};
  }
  try {
    return coterie::decode<T>(bytes);
  } catch (...) {
    throw error{errc::decode_failed,
                "the argument of the task could not be decoded: " + text_of_current_exception()};
  }
}

/// Runs a function on the items of chunks.
template <class Form, class F, class Item>
class function_task final : public task {
 public:
  explicit function_task(F&& function) : function_{std::move(function)} {}

  void run(std::span<const std::byte> items, std::size_t first, std::size_t end,
           result_sink& sink) override {
    auto reader = item_reader<received>::first_of(items, end);
    reader.skip(first);
    for (std::size_t index = first; index < end;) {
      const std::size_t allowed = sink.allowance();
      if (allowed == 0) return;
      const std::size_t until = allowed < end - index ? index + allowed : end;
      while (index < until) index += run_some(reader, until - index, sink);
    }
  }

 private:
  using received = received_t<Form, F, Item>;
  using result = call_result_t<Form, F, Item>;

  static constexpr bool raw_results = raw_item<result>;

  // Runs up to `most` items, and returns how many; fewer only after one that threw.
  std::size_t run_some(item_reader<received>& reader, std::size_t most, result_sink& sink) {
    if constexpr (raw_results && item_reader<received>::raw) {
      return run_raw(reader, most, sink);
    } else {
      const auto bytes = reader.next();
      try {
        if constexpr (item_reader<received>::raw) {
          received item = bytes;
          run_one(item, sink);
        } else {
          received item = decode_argument<received>(bytes);
          run_one(item, sink);
        }
      } catch (...) {
        sink.failed();
        return 1;
      }
      sink.succeeded(1);
      return 1;
    }
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

  // The whole loop in one place, with hardly anything in it but the function: this is where a million
  // small items spend their time.
  std::size_t run_raw(item_reader<received>& reader, std::size_t most, result_sink& sink)
    requires(raw_results)
  {
    constexpr std::size_t row =
        std::max<std::size_t>(result_sink::most_in_a_row / sizeof(result), 1);
    most = std::min(most, row);
    byte_buffer& out = sink.results();
    const std::size_t before = out.size();
    std::byte* const to = out.extend(most * sizeof(result));
    result_progress progress = sink.progress();
    std::size_t done = 0;
    try {
      for (; done < most; ++done) {
        if (done > 0) progress.add(sizeof(result));
        received item = reader.next();
        const result value = Form::call(function_, item);
        std::memcpy(to + done * sizeof(result), &value, sizeof(result));
      }
    } catch (...) {
      out.resize_down(before + done * sizeof(result));
      if (done > 0) sink.succeeded(done);
      sink.failed();
      return done + 1;
    }
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
