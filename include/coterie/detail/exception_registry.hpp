// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>

#include <coterie/detail/remote_exception.hpp>

namespace coterie::detail {

class byte_buffer;

/// How one type of exception crosses to another process, with its type erased.
struct exception_carrier {
  const std::type_info* type = nullptr;

  /// Appends the fields of `thrown`, which is of this type or made from it by a wrapper that
  /// derives from it. May throw anything: the exception then degrades to a `remote_error`.
  void (*encode)(const std::exception& thrown, byte_buffer& fields) = nullptr;

  /// Makes the exception from the fields. May throw anything: the bytes are then not believed.
  std::exception_ptr (*make)(std::span<const std::byte> fields,
                             exception_origin&& origin) = nullptr;
};

/// A carrier, and the name by which both processes know it.
struct named_carrier {
  std::string name;
  exception_carrier carrier;
};

/// Adds a carrier; a type that is known already keeps the one it has. Returns true.
/// Thread safety: these functions may be called at any time from any thread.
bool add_exception(const exception_carrier& carrier);

/// The carrier for objects of exactly this dynamic type, or of a type that counts as it
/// (`thrown_name`).
std::optional<named_carrier> find_exception(const std::type_info& type);

/// The carrier of that name.
std::optional<exception_carrier> find_exception(std::string_view name);

/// The name of a type as a programmer writes it.
std::string readable_name(const std::type_info& type);

/// The name of what the programmer threw, when the object is of a type that a library made from it
/// and that derives from it: by `boost::throw_exception`, by `std::throw_with_nested`, by coterie
/// itself.
std::string thrown_name(const std::type_info& type);

/// The carriers of the exceptions that need no registration: the standard library's, Boost.System's
/// and coterie's own.
std::span<const exception_carrier> standard_exceptions();

}  // namespace coterie::detail
