// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/exception_wire.hpp>
#include <coterie/remote_info.hpp>

namespace exception_round_trip {

using bytes = std::vector<std::byte>;

inline const coterie::remote_place place{3, 1234, 17};

/// The bytes that a worker sends for what `thrower` throws.
template <class Thrower>
bytes sent_for(Thrower thrower) {
  coterie::detail::byte_buffer out;
  try {
    thrower();
  } catch (...) {
    coterie::detail::encode_current_exception(out);
  }
  const auto view = out.view();
  return {view.begin(), view.end()};
}

/// What the parent makes of them.
template <class Thrower>
std::exception_ptr arrival_of(Thrower thrower) {
  return coterie::detail::decode_exception(sent_for(thrower), place);
}

/// Hands what arrives to `check`, caught as `E`.
template <class E, class Thrower, class Check>
void arrives_as(Thrower thrower, Check check) {
  const std::exception_ptr arrival = arrival_of(thrower);
  REQUIRE(arrival != nullptr);
  bool caught_as_expected = false;
  try {
    std::rethrow_exception(arrival);
  } catch (const E& arrived) {
    caught_as_expected = true;
    check(arrived);
  } catch (...) {
    caught_as_expected = false;
  }
  CHECK(caught_as_expected);
}

template <class E>
void check_origin(const E& arrived, const std::string& type_name) {
  const coterie::remote_info* info = coterie::get_remote_info(arrived);
  REQUIRE(info != nullptr);
  CHECK(info->type_name() == type_name);
  CHECK(info->rank() == 3);
  CHECK(info->pid() == 1234);
  CHECK(info->item() == 17);
}

/// `original` arrives as an `E`, with its text and its origin.
template <class E>
void round_trip(const E& original, const std::string& type_name) {
  INFO(type_name);
  arrives_as<E>([&] { throw E(original); },
                [&](const E& arrived) {
                  CHECK(std::string(arrived.what()) == original.what());
                  check_origin(arrived, type_name);
                });
}

}  // namespace exception_round_trip
