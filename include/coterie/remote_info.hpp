// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <cstddef>
#include <exception>
#include <memory>
#include <string>

namespace coterie {

/// Where a task ran: which worker, and which item of its call.
struct remote_place {
  int rank = 0;          ///< the worker's rank, from 0
  int pid = 0;           ///< the worker's process id
  std::size_t item = 0;  ///< the index of the item in its call, from 0; 0 for `apply`
};

/// What every exception that comes out of a task carries beside its own type: where it was thrown,
/// and what it was there. It is a second base class of the exception, so it is found by
/// `dynamic_cast` or `get_remote_info`, or caught itself.
///
/// Thread safety: const members may be called at the same time. Copies do not throw.
///
/// Example:
/// @code
/// try {
///   co_await pool.map(parse, documents);
/// } catch (const std::invalid_argument& problem) {
///   if (const coterie::remote_info* origin = coterie::get_remote_info(problem))
///     report(documents[origin->item()], problem.what());
/// }
/// @endcode
class remote_info {
 public:
  remote_info(const remote_place& place, std::string type_name);
  remote_info(const remote_info&) = default;
  remote_info& operator=(const remote_info&) = default;
  virtual ~remote_info();

  /// The name of the type that the task threw, as a programmer writes it (`std::out_of_range`).
  const std::string& type_name() const noexcept { return *type_name_; }

  /// The rank of the worker that ran the task, from 0.
  int rank() const noexcept { return place_.rank; }

  /// The process id of the worker that ran the task.
  int pid() const noexcept { return place_.pid; }

  /// The index of the item in its call, from 0; 0 for a call of one item (`apply`).
  std::size_t item() const noexcept { return place_.item; }

 private:
  remote_place place_;
  // Shared, because an exception must be copied without throwing.
  std::shared_ptr<const std::string> type_name_;
};

/// The `remote_info` of an exception, or null if it was thrown in this process. The pointer lives
/// as long as the exception. Never throws.
const remote_info* get_remote_info(const std::exception& problem) noexcept;

/// The same for an exception that is held by pointer; null, too, if the pointer is null. The result
/// lives as long as some `std::exception_ptr` holds the exception. Never throws.
const remote_info* get_remote_info(const std::exception_ptr& problem) noexcept;

}  // namespace coterie
