// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>
#include <system_error>

#include <boost/system/error_code.hpp>

#include "errors/exception_fields.hpp"

namespace coterie::detail {

/// The category of that name among those that every process has. Any other becomes a category whose
/// name is "unknown": the code keeps its value, and no longer compares equal to what it was.
const std::error_category& standard_category(std::string_view name) noexcept;
const boost::system::error_category& boost_category(std::string_view name) noexcept;

template <class Code>
void put_code(byte_buffer& out, const Code& code) {
  put_number(out, code.value());
  put_text(out, code.category().name());
}

template <class Code>
Code take_code(field_reader& reader) {
  const int value = reader.integer();
  const std::string_view name = reader.text();
  if constexpr (std::is_same_v<Code, std::error_code>) {
    return {value, standard_category(name)};
  } else {
    return {value, boost_category(name)};
  }
}

}  // namespace coterie::detail
