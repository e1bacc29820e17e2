// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/cancellation.hpp>

#include <exception>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace coterie::detail {

std::exception_ptr operation_aborted() {
  return std::make_exception_ptr(
      boost::system::system_error{boost::asio::error::operation_aborted});
}

void job_cancellation::operator()(boost::asio::cancellation_type type) const {
  using boost::asio::cancellation_type;
  if (type == cancellation_type::none) return;
  const auto pool = core.lock();
  if (!pool) return;
  const bool terminal = (type & cancellation_type::terminal) != cancellation_type::none;
  pool->cancel(id, operation_aborted(), terminal);
}

void wait_cancellation::operator()(boost::asio::cancellation_type type) const {
  if (type == boost::asio::cancellation_type::none) return;
  if (const auto pool = core.lock()) {
    pool->run(
        id, [from = results, ticket = ticket](deliveries& due) { from->cancel_wait(ticket, due); });
  }
}

}  // namespace coterie::detail
