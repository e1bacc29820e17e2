// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>

#include <boost/asio/cancellation_type.hpp>

#include <coterie/detail/pool_core.hpp>
#include <coterie/detail/result_taker.hpp>

namespace coterie::detail {

/// What a cancelled operation completes with.
std::exception_ptr operation_aborted();

/// Ends a job, or the wait for the pool's end, that is named `id`. A terminal cancellation ends the
/// workers that run its items.
struct job_cancellation {
  std::weak_ptr<pool_core> core;
  job_id id;

  void operator()(boost::asio::cancellation_type type) const;
};

/// Ends a wait for results of the job `id`. The work goes on.
struct wait_cancellation {
  std::weak_ptr<pool_core> core;
  counted_ptr<result_taker> results;
  job_id id;
  wait_ticket ticket;

  void operator()(boost::asio::cancellation_type type) const;
};

}  // namespace coterie::detail
