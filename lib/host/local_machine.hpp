// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

#include "host/machine.hpp"
#include "links/ring_settings.hpp"
#include "processes/surroundings.hpp"
#include "runtime/asio_runtime.hpp"

namespace coterie::detail {

/// This machine: workers are children of this process.
class local_machine final : public machine {
 public:
  /// `runs_on` outlives it.
  local_machine(asio_runtime& runs_on, ring_settings rings, surroundings around)
      : runtime_{runs_on}, rings_{rings}, around_{std::move(around)} {}

  started_worker start(int rank) override;

 private:
  asio_runtime& runtime_;
  const ring_settings rings_;
  const surroundings around_;
};

}  // namespace coterie::detail
