// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <string>

#include <coterie/error.hpp>

// What the rules read from an error that was told.

namespace simulation {

inline std::string text_of_error(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "no exception of the standard";
  }
}

template <class Exception>
const Exception* as(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const Exception& found) {
    return &found;  // lives as long as `why`
  } catch (...) {
    return nullptr;
  }
}

inline bool is_breach(const std::exception_ptr& why) {
  const auto* const error = as<coterie::error>(why);
  return error != nullptr && error->code() == coterie::errc::protocol_violation;
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace simulation
