// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace coterie::detail {

/// A function as another process of the same build finds it: its offset in the module (executable
/// or shared library) that holds it. Where a module is loaded differs from process to process; the
/// offset does not.
struct function_reference {
  std::uint64_t module = 0;  ///< 0: the executable; else a hash of the library's build-id
  std::uint64_t offset = 0;  ///< bytes from where the module is loaded
};

/// Throws `error` (`errc::unknown_function`) if no loaded module holds the function.
function_reference locate_function(const void* function);

/// The other way round. Throws `error` (`errc::unknown_function`) if the module is not loaded here,
/// or the offset is not in its code.
void* find_function(function_reference reference);

template <class R, class... A>
function_reference locate(R (*function)(A...)) {
  return locate_function(reinterpret_cast<const void*>(function));
}

}  // namespace coterie::detail
