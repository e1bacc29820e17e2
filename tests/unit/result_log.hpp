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

#include <coterie/detail/item_reader.hpp>
#include <coterie/detail/receiver.hpp>
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

/// Somebody who gets an outcome, and remembers it.
template <class T>
class listener final : public coterie::detail::receiver<T> {
 public:
  void fail(std::exception_ptr reason, coterie::detail::deliveries&) override {
    ++times;
    failure = std::move(reason);
  }
  void receive(coterie::detail::deliveries&, T&& outcome) override {
    ++times;
    value = std::move(outcome);
  }
  void progressed(std::size_t count) override { progress.push_back(count); }
  void abandon() noexcept override { abandoned = true; }

  int times = 0;
  std::exception_ptr failure;
  T value{};
  std::vector<std::size_t> progress;
  bool abandoned = false;
};

template <>
class listener<void> final : public coterie::detail::receiver<> {
 public:
  void receive(coterie::detail::deliveries&) override { ++times; }
  void fail(std::exception_ptr reason, coterie::detail::deliveries&) override {
    ++times;
    failure = std::move(reason);
  }
  void progressed(std::size_t count) override { progress.push_back(count); }
  void abandon() noexcept override { abandoned = true; }

  int times = 0;
  std::exception_ptr failure;
  std::vector<std::size_t> progress;
  bool abandoned = false;
};

}  // namespace result_log
