// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include <coterie/detail/completion.hpp>
#include <coterie/detail/job.hpp>

namespace coterie::detail {

/// Who gets the outcome of a call, once. `Values` is empty for a call that returns nothing.
template <class... Values>
class receiver {
 public:
  receiver() = default;
  receiver(const receiver&) = delete;
  receiver& operator=(const receiver&) = delete;
  virtual ~receiver() = default;

  virtual void receive(deliveries& due, Values&&... values) = 0;
  virtual void fail(std::exception_ptr problem, deliveries& due) = 0;
  /// How many items are finished so far.
  virtual void progressed(std::size_t) {}
  virtual void abandon() noexcept = 0;
};

/// A completion handler gets it.
template <class... Values>
class completion_receiver final : public receiver<Values...> {
 public:
  explicit completion_receiver(std::unique_ptr<completion<Values...>> handler)
      : handler_{std::move(handler)} {}

  void receive(deliveries& due, Values&&... values) override {
    detail::complete(std::move(handler_), due, {}, std::move(values)...);
  }
  void fail(std::exception_ptr problem, deliveries& due) override {
    detail::fail(std::move(handler_), due, std::move(problem));
  }
  void abandon() noexcept override { handler_.reset(); }

 private:
  std::unique_ptr<completion<Values...>> handler_;
};

/// Names the receiver of a type, which may be `void`.
template <class T>
struct receiver_for {
  using type = receiver<T>;
  using handler = completion<T>;
  using completing = completion_receiver<T>;
  using signature = void(std::exception_ptr, T);
};
template <>
struct receiver_for<void> {
  using type = receiver<>;
  using handler = completion<>;
  using completing = completion_receiver<>;
  using signature = void(std::exception_ptr);
};

template <class T>
using receiver_t = typename receiver_for<T>::type;

/// `T`, or something to hold in its place where nothing is returned.
template <class T>
using held_t = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

/// Passes a held value on, or nothing where nothing is returned.
template <class T>
void give(receiver_t<T>& to, held_t<T>&& value, deliveries& due) {
  if constexpr (std::is_void_v<T>) {
    static_cast<void>(value);
    to.receive(due);
  } else {
    to.receive(due, std::move(value));
  }
}

}  // namespace coterie::detail
