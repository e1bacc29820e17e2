// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <coterie/remote_info.hpp>

namespace coterie::detail {

/// What arrives with every exception, whatever its type.
struct exception_origin {
  remote_place place;
  std::string type_name;
  std::string text;
};

/// An `E` that was thrown in a worker: it is caught as `E`, tells where it comes from, and its
/// `what()` is the one it had there.
template <class E>
class remote final : public E, public remote_info {
 public:
  // By reference, because the arguments may point into `origin`: `E` comes before anything is moved
  // out.
  template <class... Arguments>
  explicit remote(exception_origin&& origin, Arguments&&... arguments)
      : E(std::forward<Arguments>(arguments)...),
        remote_info(origin.place, std::move(origin.type_name)),
        remote_text_(std::make_shared<const std::string>(std::move(origin.text))) {}

  const char* what() const noexcept override { return remote_text_->c_str(); }

 private:
  // Shared, because an exception must be copied without throwing.
  std::shared_ptr<const std::string> remote_text_;
};

/// Whether `remote<E>` can exist. A type that is a `remote_info` already would have two of them.
template <class E>
inline constexpr bool has_remote_form = !std::is_final_v<E> && !std::is_base_of_v<remote_info, E>;

/// Makes an `E` from its constructor's arguments, with its origin where the type allows that.
template <class E, class... Arguments>
std::exception_ptr make_remote(exception_origin&& origin, Arguments&&... arguments) {
  if constexpr (has_remote_form<E>) {
    return std::make_exception_ptr(
        remote<E>(std::move(origin), std::forward<Arguments>(arguments)...));
  } else {
    return std::make_exception_ptr(E(std::forward<Arguments>(arguments)...));
  }
}

}  // namespace coterie::detail
