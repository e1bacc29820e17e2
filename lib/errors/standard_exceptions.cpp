// SPDX-License-Identifier: BSL-1.0
#include <any>
#include <array>
#include <exception>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <variant>

#include <coterie/detail/exception_registry.hpp>
#include <coterie/detail/reader.hpp>
#include <coterie/detail/remote_exception.hpp>
#include <coterie/error.hpp>

#include "errors/exception_fields.hpp"
#include "errors/known_categories.hpp"

namespace coterie::detail {
namespace {

// Each form below is one way of taking an exception apart and making it again: `write` appends its
// fields, `read` takes them back and makes an `E`. The text travels with every exception anyway.

/// Made without arguments.
struct no_fields {
  template <class E>
  static void write(const E&, byte_buffer&) {}

  template <class E>
  static std::exception_ptr read(field_reader&, exception_origin&& origin) {
    return make_remote<E>(std::move(origin));
  }
};

/// Made from its text.
struct only_text {
  template <class E>
  static void write(const E&, byte_buffer&) {}

  template <class E>
  static std::exception_ptr read(field_reader&, exception_origin&& origin) {
    const std::string text = origin.text;
    return make_remote<E>(std::move(origin), text);
  }
};

/// Made from a code in its category: `std::system_error` and `boost::system::system_error`.
struct code_and_category {
  template <class E>
  static void write(const E& thrown, byte_buffer& out) {
    put_code(out, thrown.code());
  }

  template <class E>
  static std::exception_ptr read(field_reader& reader, exception_origin&& origin) {
    const auto code = take_code<std::decay_t<decltype(std::declval<E>().code())>>(reader);
    return make_remote<E>(std::move(origin), code);
  }
};

struct stream_failure {
  template <class E>
  static void write(const E& thrown, byte_buffer& out) {
    put_code(out, thrown.code());
  }

  template <class E>
  static std::exception_ptr read(field_reader& reader, exception_origin&& origin) {
    const auto code = take_code<std::error_code>(reader);
    return make_remote<E>(std::move(origin), std::string(), code);
  }
};

struct code_and_paths {
  template <class E>
  static void write(const E& thrown, byte_buffer& out) {
    put_code(out, thrown.code());
    put_text(out, thrown.path1().native());
    put_text(out, thrown.path2().native());
  }

  template <class E>
  static std::exception_ptr read(field_reader& reader, exception_origin&& origin) {
    const auto code = take_code<std::error_code>(reader);
    const std::filesystem::path first(reader.text());
    const std::filesystem::path second(reader.text());
    return make_remote<E>(std::move(origin), std::string(), first, second, code);
  }
};

struct future_code {
  template <class E>
  static void write(const E& thrown, byte_buffer& out) {
    put_number(out, thrown.code().value());
  }

  template <class E>
  static std::exception_ptr read(field_reader& reader, exception_origin&& origin) {
    return make_remote<E>(std::move(origin), static_cast<std::future_errc>(reader.integer()));
  }
};

struct regex_code {
  template <class E>
  static void write(const E& thrown, byte_buffer& out) {
    put_number(out, thrown.code());
  }

  template <class E>
  static std::exception_ptr read(field_reader& reader, exception_origin&& origin) {
    // An unscoped enumeration: a number beyond its bits would be undefined. libstdc++ has 15 of
    // them.
    const int code = reader.number(0, 15);
    return make_remote<E>(std::move(origin), static_cast<std::regex_constants::error_type>(code));
  }
};

struct coterie_code {
  template <class E>
  static void write(const E& thrown, byte_buffer& out) {
    put_number(out, thrown.code().value());
  }

  template <class E>
  static std::exception_ptr read(field_reader& reader, exception_origin&& origin) {
    const int code =
        reader.number(static_cast<int>(errc::pool_closed), static_cast<int>(errc::not_closed));
    const std::string text = origin.text;
    return make_remote<E>(std::move(origin), static_cast<errc>(code), text);
  }
};

struct start_reason {
  template <class E>
  static void write(const E& thrown, byte_buffer& out) {
    put_text(out, thrown.reason());
  }

  template <class E>
  static std::exception_ptr read(field_reader& reader, exception_origin&& origin) {
    return make_remote<E>(std::move(origin), std::string(reader.text()));
  }
};

/// Thrown by a pool that a task itself uses: tells of that pool's worker, not of the task's own.
struct crash_report {
  // No signal and no exit code has this number.
  static constexpr int none = -1;

  static std::optional<int> take(field_reader& reader) {
    const int value = reader.integer();
    return value == none ? std::nullopt : std::optional(value);
  }

  template <class E>
  static void write(const E& thrown, byte_buffer& out) {
    put_number(out, thrown.rank());
    put_number(out, thrown.pid());
    put_number(out, static_cast<std::int64_t>(thrown.item()));
    put_number(out, thrown.signal().value_or(none));
    put_number(out, thrown.exit_code().value_or(none));
  }

  template <class E>
  static std::exception_ptr read(field_reader& reader, exception_origin&& origin) {
    const int rank = reader.integer();
    const int pid = reader.integer();
    const auto item = static_cast<std::size_t>(reader.number());
    const std::optional<int> signal = take(reader);
    const std::optional<int> exit_code = take(reader);
    return make_remote<E>(std::move(origin), remote_place{rank, pid, item}, signal, exit_code);
  }
};

template <class E, class Form>
exception_carrier carrier() {
  return {&typeid(E),
          [](const std::exception& thrown, byte_buffer& fields) {
            Form::write(dynamic_cast<const E&>(thrown), fields);
          },
          [](std::span<const std::byte> fields, exception_origin&& origin) {
            field_reader reader(fields);
            std::exception_ptr made = Form::template read<E>(reader, std::move(origin));
            reader.expect_end();
            return made;
          }};
}

}  // namespace

std::span<const exception_carrier> standard_exceptions() {
  static const std::array carriers = {
      carrier<std::exception, no_fields>(),
      carrier<std::bad_exception, no_fields>(),
      carrier<std::bad_alloc, no_fields>(),
      carrier<std::bad_array_new_length, no_fields>(),
      carrier<std::bad_cast, no_fields>(),
      carrier<std::bad_typeid, no_fields>(),
      carrier<std::bad_function_call, no_fields>(),
      carrier<std::bad_optional_access, no_fields>(),
      carrier<std::bad_variant_access, no_fields>(),
      carrier<std::bad_any_cast, no_fields>(),
      carrier<std::bad_weak_ptr, no_fields>(),
      carrier<std::logic_error, only_text>(),
      carrier<std::invalid_argument, only_text>(),
      carrier<std::domain_error, only_text>(),
      carrier<std::length_error, only_text>(),
      carrier<std::out_of_range, only_text>(),
      carrier<std::runtime_error, only_text>(),
      carrier<std::range_error, only_text>(),
      carrier<std::overflow_error, only_text>(),
      carrier<std::underflow_error, only_text>(),
      carrier<std::system_error, code_and_category>(),
      carrier<std::ios_base::failure, stream_failure>(),
      carrier<std::filesystem::filesystem_error, code_and_paths>(),
      carrier<std::future_error, future_code>(),
      carrier<std::regex_error, regex_code>(),
      carrier<boost::system::system_error, code_and_category>(),
      carrier<error, coterie_code>(),
      carrier<pool_closed, only_text>(),
      carrier<pool_terminated, only_text>(),
      carrier<timeout_error, only_text>(),
      carrier<decode_error, only_text>(),
      carrier<start_failed, start_reason>(),
      carrier<worker_crashed, crash_report>(),
  };
  return carriers;
}

}  // namespace coterie::detail
