// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <coterie/detail/task.hpp>
#include <coterie/detail/worker_function.hpp>

namespace coterie::detail {

/// Makes the task of a definition: a `function_reference` to the factory, and behind it the bytes
/// that the factory is given. Throws `bad_frame` if the definition is too short, `error`
/// (`errc::unknown_function`) if this process has no such factory, and what the factory throws.
std::unique_ptr<task> make_task(std::span<const std::byte> definition);

/// Calls a function that has no arguments and no result, unless the function is empty. Throws what
/// it throws.
void call(const worker_function& function);

}  // namespace coterie::detail
