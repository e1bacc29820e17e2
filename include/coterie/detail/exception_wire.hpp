// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <span>
#include <string>

#include <coterie/remote_info.hpp>

namespace coterie::detail {

class byte_buffer;

/// Appends the exception that is being handled to `out`; for `decode_exception` on the other side.
///
/// Preconditions: called inside a catch block.
/// Errors: throws `std::bad_alloc` only, and then `out` is as it was. An exception that cannot be
/// carried as itself degrades to the text of a `remote_error`. A forced unwinding (`pthread_exit`,
/// a cancelled thread) is no error of the task and must not be stopped: it is rethrown, and passes
/// through the caller's catch block.
void encode_current_exception(byte_buffer& out);

/// The text of the exception that is being handled, and of those nested in it.
///
/// Preconditions, forced unwinding: as above.
std::string text_of_current_exception();

/// Makes an exception of bytes that `encode_current_exception` wrote in a worker. The bytes are not
/// trusted: if they are anything else, the result holds an `error` with `errc::decode_failed`.
///
/// Errors: never throws; when memory runs out the result holds `std::bad_alloc`.
std::exception_ptr decode_exception(std::span<const std::byte> bytes,
                                    const remote_place& place) noexcept;

}  // namespace coterie::detail
