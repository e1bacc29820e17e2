// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "processes/lifeline.hpp"

namespace coterie::detail {

/// How a process learns that it is a worker: a variable in its environment, and two descriptors at
/// fixed places.
struct worker_environment {
  static constexpr const char* variable = "COTERIE_WORKER";
  static constexpr int link_descriptor = 3;
  static constexpr int lifeline_descriptor = 4;
  static constexpr int first_free_descriptor = 5;

  int rank = 0;
  pid_t parent = 0;
  ends_with_parent ends = ends_with_parent::process_group;

  /// "VARIABLE=rank:parent:group", or "...:worker": what ends with the parent.
  [[nodiscard]] std::string assignment() const;
  /// Empty if the variable is not there, or makes no sense. What it says is a claim; see
  /// `is_proven`.
  static std::optional<worker_environment> find();
  /// Whether this process was started as a worker by its parent: the link is a socket that the
  /// parent made, and the parent runs the same program, or has loaded it, as far as that can be
  /// seen. Any other process can set the variable too, and must not be obeyed.
  [[nodiscard]] bool is_proven() const noexcept;
  /// Takes the variable away, so that programs which tasks start do not believe they are workers.
  static void forget();
};

}  // namespace coterie::detail
