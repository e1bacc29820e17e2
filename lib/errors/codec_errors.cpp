// SPDX-License-Identifier: BSL-1.0
// What the codec and its callers throw: here, and not in each program that includes their
// templates.
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>

#include <coterie/detail/exception_wire.hpp>
#include <coterie/detail/function_task.hpp>
#include <coterie/detail/reader.hpp>
#include <coterie/detail/result_reader.hpp>
#include <coterie/error.hpp>

namespace coterie::detail {

namespace {

std::string bytes(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

}  // namespace

void throw_decode_error(const char* what) { throw decode_error{what}; }

void reader::throw_too_short(std::size_t missing) {
  throw decode_error{"message ends " + bytes(missing) + " too early"};
}

void reader::throw_too_many(std::size_t excess) {
  throw decode_error{"message has " + bytes(excess) + " too many"};
}

void reader::throw_not_a_bool(unsigned byte) {
  throw decode_error{"message has the byte " + std::to_string(byte) + " for a bool"};
}

void reader::throw_lying_size(std::uint64_t size, std::size_t element_size) const {
  throw decode_error{"message claims " + std::to_string(size) + " elements of at least " +
                     bytes(element_size) + ", but only " + bytes(remaining()) + " follow"};
}

std::exception_ptr undecodable() {
  return std::make_exception_ptr(
      error{errc::decode_failed,
            "the result of the task could not be decoded: " + text_of_current_exception()});
}

void throw_unencodable_result() {
  throw error{errc::encode_failed,
              "the result of the task could not be encoded: " + text_of_current_exception()};
}

void throw_absent_argument() {
  // The parent knows why, and says so.
  throw error{errc::encode_failed, "the argument of the task could not be encoded"};
}

void throw_undecodable_argument() {
  throw error{errc::decode_failed,
              "the argument of the task could not be decoded: " + text_of_current_exception()};
}

}  // namespace coterie::detail
