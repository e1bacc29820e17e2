// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <coterie/detail/completion.hpp>
#include <coterie/detail/pool_core.hpp>

// From an operation that has not begun, and a completion token, to one that has. Operations depend
// on no type of a value. For each value that is awaited the compiler makes one small coroutine; all
// that Asio needs to make it wait is the same for all of them.

namespace coterie::detail {

/// An operation of the pool `core`, as `Description` describes it: `begin(id, handler)` begins it
/// by a name that was reserved, and `cancellation(id)` is what a cancellation slot does.
template <class Description>
struct pool_operation : Description {
  /// Completes `handler` with a `T`.
  template <class T, class Handler>
  void begin(Handler&& handler) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    enter(slot, make_completion<T>(std::forward<Handler>(handler), this->core->executor()));
  }
  /// The same for the handler of a coroutine, which finds the value at `place`.
  template <class Handler>
  void begin_at(void* place, Handler&& handler) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    enter(slot,
          make_completion<void>(std::forward<Handler>(handler), this->core->executor(), place));
  }

 private:
  // The slot may outlive the operation, and the pool: then nothing happens.
  template <class Slot>
  void enter(Slot& slot, std::unique_ptr<delivery> handler) {
    const job_id name = this->core->reserve();
    if (slot.is_connected()) slot.assign(this->cancellation(name));
    Description::begin(name, std::move(handler));
  }
};
template <class Description>
pool_operation(Description) -> pool_operation<Description>;

/// An operation whose value is left at `place`, as Asio awaits it.
template <class Operation>
struct placed_operation {
  Operation operation;
  void* place;

  template <boost::asio::completion_token_for<void(std::exception_ptr)> Token>
  auto operator()(Token&& token) && {
    return boost::asio::async_initiate<Token, void(std::exception_ptr)>(
        [](auto&& handler, Operation begun, void* at) {
          begun.begin_at(at, std::forward<decltype(handler)>(handler));
        },
        token, std::move(operation), place);
  }
};

/// Begins an operation when it is awaited, and gives its value to the coroutine that awaits it.
/// What moving the value throws comes out like an error of the operation.
template <class T, class Executor, class Operation>
boost::asio::awaitable<T, Executor> await(Operation operation) {
  std::optional<held_t<T>> value;
  placed_operation<Operation> placed{std::move(operation), &value};
  co_await std::move(placed);
  if constexpr (!std::is_void_v<T>) co_return std::move(*value);
}

/// The executor of the coroutine that a token makes wait; `void` for other tokens.
template <class Token>
struct awaiting_executor {
  using type = void;
};
template <class Executor>
struct awaiting_executor<boost::asio::use_awaitable_t<Executor>> {
  using type = Executor;
};

/// Whether the token makes a coroutine wait.
template <class Token>
inline constexpr bool is_use_awaitable =
    !std::is_void_v<typename awaiting_executor<std::decay_t<Token>>::type>;

/// Initiates an operation that completes with a `T`.
template <class T, class Token, class Operation>
auto initiate(Operation operation, Token& token) {
  if constexpr (is_use_awaitable<Token>) {
    return await<T, typename awaiting_executor<std::decay_t<Token>>::type>(std::move(operation));
  } else {
    return boost::asio::async_initiate<Token, completion_signature_t<T>>(
        [](auto&& handler, Operation begun) {
          begun.template begin<T>(std::forward<decltype(handler)>(handler));
        },
        token, std::move(operation));
  }
}

}  // namespace coterie::detail
