// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <coterie/detail/completion.hpp>
#include <coterie/detail/item_reader.hpp>
#include <coterie/error.hpp>

/// What comes out of the parts that take results, and what goes into them.
namespace result_log {

/// The results of consecutive items, as a worker sends them.
template <class T>
coterie::detail::byte_buffer encoded(const std::vector<T>& values) {
  coterie::detail::byte_buffer out;
  for (const T& value : values) {
    if constexpr (coterie::detail::raw_item<T>) {
      out.append(&value, sizeof value);
    } else {
      coterie::detail::record_writer record{out};
      coterie::encode(out, value);
      record.end();
    }
  }
  return out;
}

/// The code of a coterie error; no code if it is something else, or nothing.
inline std::optional<boost::system::error_code> code_of(const std::exception_ptr& problem) {
  if (!problem) return std::nullopt;
  try {
    std::rethrow_exception(problem);
  } catch (const boost::system::system_error& known) {
    return known.code();
  } catch (...) {
    return std::nullopt;
  }
}

inline std::string what_of(const std::exception_ptr& problem) {
  if (!problem) return {};
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& known) {
    return known.what();
  }
}

inline std::exception_ptr problem(const char* what) {
  return std::make_exception_ptr(std::runtime_error{what});
}

/// What a handler was given, or that it was dropped.
template <class T>
struct heard {
  int times = 0;
  std::exception_ptr failure;
  coterie::detail::held_t<T> value{};
  bool dropped = false;
};

/// A handler that writes it down when it is called.
template <class T>
class listener final : public coterie::detail::completion<T> {
 public:
  explicit listener(std::shared_ptr<heard<T>> to) : to_{std::move(to)} {}
  ~listener() override { to_->dropped = to_->times == 0; }

  void deliver(std::unique_ptr<coterie::detail::delivery> self, bool) override {
    call(std::move(self));
  }
  void call(std::unique_ptr<coterie::detail::delivery>) override {
    ++to_->times;
    to_->failure = this->error_;
    if constexpr (!std::is_void_v<T>) {
      if (!to_->failure && this->value_) to_->value = std::move(*this->value_);
    }
  }

 private:
  std::shared_ptr<heard<T>> to_;
};

}  // namespace result_log
