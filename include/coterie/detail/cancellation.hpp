// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <coterie/detail/pool_core.hpp>

namespace coterie::detail {

/// What a cancelled operation completes with.
inline std::exception_ptr operation_aborted() {
  return std::make_exception_ptr(
      boost::system::system_error{boost::asio::error::operation_aborted});
}

/// Lets the handler's cancellation slot call `cancel(core, type)`. The slot may outlive the operation,
/// and the pool: then nothing happens.
template <class Handler, class Cancel>
void on_cancellation(const Handler& handler, const std::shared_ptr<pool_core>& core,
                     Cancel cancel) {
  auto slot = boost::asio::get_associated_cancellation_slot(handler);
  if (!slot.is_connected()) return;
  slot.assign([weak = std::weak_ptr{core},
               cancel = std::move(cancel)](boost::asio::cancellation_type type) mutable {
    if (type == boost::asio::cancellation_type::none) return;
    if (const auto living = weak.lock()) cancel(living, type);
  });
}

/// The usual case: the operation is the job, or the wait, that is named `id`. A terminal cancellation
/// ends the workers that run its items.
template <class Handler>
void cancels_job(const Handler& handler, const std::shared_ptr<pool_core>& core, job_id id) {
  on_cancellation(
      handler, core,
      [id](const std::shared_ptr<pool_core>& pool, boost::asio::cancellation_type type) {
        const bool terminal = (type & boost::asio::cancellation_type::terminal) !=
                              boost::asio::cancellation_type::none;
        pool->cancel(id, operation_aborted(), terminal);
      });
}

}  // namespace coterie::detail
