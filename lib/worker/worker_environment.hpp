// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

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

  /// "VARIABLE=rank:parent"
  [[nodiscard]] std::string assignment() const;
  /// Empty if this process was not started as a worker, or has already become one.
  static std::optional<worker_environment> find();
  /// Takes the variable away, so that programs which tasks start do not believe they are workers.
  static void forget();
};

}  // namespace coterie::detail
