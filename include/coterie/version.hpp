// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

/// The version of these headers, for the preprocessor. The three numbers follow semantic
/// versioning; while the first is 0, a change of the second may break a program.
#define COTERIE_VERSION_MAJOR 0
#define COTERIE_VERSION_MINOR 1
#define COTERIE_VERSION_PATCH 0

/// The version as one number that grows: `major * 10000 + minor * 100 + patch`.
///
/// Example:
/// @code
/// #if COTERIE_VERSION >= 200  // 0.2.0
/// @endcode
#define COTERIE_VERSION \
  (COTERIE_VERSION_MAJOR * 10000 + COTERIE_VERSION_MINOR * 100 + COTERIE_VERSION_PATCH)

/// The version as text.
#define COTERIE_VERSION_STRING "0.1.0"

namespace coterie {

/// The same version, for the compiler.
inline constexpr int version_major = COTERIE_VERSION_MAJOR;
inline constexpr int version_minor = COTERIE_VERSION_MINOR;
inline constexpr int version_patch = COTERIE_VERSION_PATCH;
inline constexpr const char* version_string = COTERIE_VERSION_STRING;

}  // namespace coterie
