// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdexcept>
#include <string>

namespace coterie::detail {

/// What must hold does not: a fault of this library, and of nothing else.
class broken_invariant : public std::logic_error {
 public:
  explicit broken_invariant(const char* what)
      : std::logic_error{std::string{"coterie: internal error, please report it: "} + what} {}
};

[[noreturn, gnu::cold]] inline void break_invariant(const char* what) {
  throw broken_invariant{what};
}

/// Throws `broken_invariant` if `holds` is false. Stays in release builds: nothing that comes later
/// can be trusted, so the pool ends all calls with this error, and the program goes on.
inline void invariant(bool holds, const char* what) {
  if (!holds) [[unlikely]]
    break_invariant(what);
}

}  // namespace coterie::detail
