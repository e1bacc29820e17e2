// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <deque>

#include "schedule/actions.hpp"
#include "schedule/crew.hpp"
#include "schedule/job_table.hpp"
#include "schedule/ledger.hpp"

namespace coterie::detail {

/// What the scheduler knows, and what it has decided and not yet handed out.
struct tables {
  crew workers;
  job_table jobs;
  ledger chunks;
  std::deque<scheduler_action> actions;
};

}  // namespace coterie::detail
