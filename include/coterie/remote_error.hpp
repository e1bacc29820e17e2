// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <stdexcept>
#include <string>

#include <coterie/remote_info.hpp>

namespace coterie {

/// An exception that a task threw and that cannot arrive as itself: its type is neither a standard
/// one nor registered by `register_exception`, or it is no `std::exception` at all.
///
/// `what()` is the original's `what()`, followed by ": caused by ..." for each exception nested in
/// it. For a thrown `int` it is "exception of type int, which is no std::exception". `type_name()`
/// names the original type.
class remote_error : public std::runtime_error, public remote_info {
 public:
  remote_error(const std::string& text, const remote_place& place, std::string type_name);
};

}  // namespace coterie
