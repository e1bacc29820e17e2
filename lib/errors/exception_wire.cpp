// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/exception_wire.hpp>

#include <cxxabi.h>

#include <new>
#include <string>
#include <utility>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/exception_registry.hpp>
#include <coterie/detail/remote_exception.hpp>
#include <coterie/error.hpp>
#include <coterie/remote_error.hpp>

#include "errors/exception_fields.hpp"

namespace coterie::detail {
namespace {

// An encoded exception: the form, the type's name, the text, and for a known type its fields to the
// end.
constexpr int text_only = 0;
constexpr int known_type = 1;

// A chain longer than this is surely a cycle, or too long to be read to its end.
constexpr int longest_chain = 64;

/// Rethrows what is being handled if it is no C++ exception: the only kind that no exception_ptr
/// can hold. Catching `abi::__forced_unwind` would do the same, by a reference to null.
void let_forced_unwinding_pass() {
  if (!std::current_exception()) throw;
}

std::string text_of(const std::exception& thrown) {
  const char* text = thrown.what();
  return text != nullptr ? text : "";
}

std::string type_of_foreign_exception() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type != nullptr ? thrown_name(*type) : "unknown";
}

std::string text_of_foreign_exception() {
  return "exception of type " + type_of_foreign_exception() + ", which is no std::exception";
}

template <class Exception>
std::exception_ptr nested_in(const Exception& thrown) {
  const auto* outer = dynamic_cast<const std::nested_exception*>(&thrown);
  return outer != nullptr ? outer->nested_ptr() : nullptr;
}

/// The text of the exception that is being handled, and of everything nested in it.
std::string text_of_current_chain() {
  std::string text;
  std::exception_ptr next = std::current_exception();
  for (int depth = 0; next && depth < longest_chain; ++depth) {
    if (depth > 0) text += ": caused by ";
    try {
      std::rethrow_exception(std::exchange(next, nullptr));
    } catch (const std::exception& thrown) {
      text += text_of(thrown);
      next = nested_in(thrown);
    } catch (const std::nested_exception& thrown) {
      text += text_of_foreign_exception();
      next = thrown.nested_ptr();
    } catch (...) {
      text += text_of_foreign_exception();
    }
  }
  return text;
}

void put_text_only(byte_buffer& out, std::string_view type_name, std::string_view text) {
  put_number(out, text_only);
  put_text(out, type_name);
  put_text(out, text);
}

void put_known_type(byte_buffer& out, const named_carrier& known, const std::exception& thrown,
                    std::string_view text) {
  put_number(out, known_type);
  put_text(out, known.name);
  put_text(out, text);
  known.carrier.encode(thrown, out);
}

byte_buffer encoded_exception(const std::exception& thrown) {
  std::string text = text_of_current_chain();
  if (const auto known = find_exception(typeid(thrown))) {
    const std::string reason_prefix = " (it arrives as a remote_error, for it cannot be encoded: ";
    try {
      byte_buffer encoded;
      put_known_type(encoded, *known, thrown, text);
      return encoded;
    } catch (const std::exception& problem) {
      text += reason_prefix + text_of(problem) + ")";
    } catch (...) {
      let_forced_unwinding_pass();
      text += reason_prefix + text_of_foreign_exception() + ")";
    }
  }
  // A `remote_error` that passes through one more process still names what was thrown at first.
  const remote_info* relayed =
      typeid(thrown) == typeid(remote_error) ? get_remote_info(thrown) : nullptr;
  byte_buffer encoded;
  put_text_only(encoded, relayed ? relayed->type_name() : thrown_name(typeid(thrown)), text);
  return encoded;
}

byte_buffer encoded_foreign_exception() {
  byte_buffer encoded;
  put_text_only(encoded, type_of_foreign_exception(), text_of_current_chain());
  return encoded;
}

std::exception_ptr decode_known_type(std::span<const std::byte> fields,
                                     const exception_origin& origin) {
  const auto carrier = find_exception(origin.type_name);
  if (!carrier)
    throw std::runtime_error("it is of type " + origin.type_name +
                             ", which is registered in the worker but not here");
  // The copy is for the case that the fields are refused.
  exception_origin copy = origin;
  try {
    return carrier->make(fields, std::move(copy));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& problem) {
    throw std::runtime_error("it is of type " + origin.type_name + " (" + origin.text +
                             "), whose fields could not be decoded: " + problem.what());
  }
}

std::exception_ptr decode_checked(std::span<const std::byte> bytes, const remote_place& place) {
  field_reader reader(bytes);
  const int form = reader.number(text_only, known_type);
  exception_origin origin{place, std::string(reader.text()), std::string(reader.text())};
  if (form == known_type) return decode_known_type(reader.remaining(), origin);
  reader.expect_end();
  return std::make_exception_ptr(
      remote_error(origin.text, origin.place, std::move(origin.type_name)));
}

std::exception_ptr refusal(const remote_place& place, const std::string& reason) {
  const std::string text =
      "an exception from worker " + std::to_string(place.rank) + " could not be decoded: " + reason;
  return make_remote<error>({place, "coterie::error", text}, errc::decode_failed, text);
}

}  // namespace

std::string text_of_current_exception() {
  let_forced_unwinding_pass();
  return text_of_current_chain();
}

void encode_current_exception(byte_buffer& out) {
  // Encoded apart, so that `out` gains all of it or nothing.
  byte_buffer encoded;
  try {
    throw;
  } catch (const std::exception& thrown) {
    encoded = encoded_exception(thrown);
  } catch (...) {
    let_forced_unwinding_pass();
    encoded = encoded_foreign_exception();
  }
  out.append(encoded.data(), encoded.size());
}

std::exception_ptr decode_exception(std::span<const std::byte> bytes,
                                    const remote_place& place) noexcept {
  try {
    try {
      return decode_checked(bytes, place);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& problem) {
      return refusal(place, problem.what());
    } catch (...) {
      return refusal(place, text_of_foreign_exception());
    }
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace coterie::detail
