// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/outcome.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include <coterie/detail/cancellation.hpp>
#include <coterie/detail/waiting.hpp>
#include <coterie/error.hpp>

namespace coterie::detail {

void outcome::wait(waiter one, deliveries& due) {
  if (ready()) return one.end(*this, std::move(one.handler), wait_end::ready, due);
  waiting_.push_back(std::move(one));
}

void outcome::end_wait(wait_ticket ticket, wait_end how, deliveries& due) {
  const auto found = std::ranges::find(waiting_, ticket, &waiter::ticket);
  if (found == waiting_.end()) return;
  waiter one = std::move(*found);
  waiting_.erase(found);
  one.end(*this, std::move(one.handler), how, due);
}

job_progress outcome::failure(std::size_t, std::exception_ptr error, deliveries& due) {
  fail(std::move(error), due);
  return job_progress::settled;
}

void outcome::abandon() noexcept {
  operation_.reset();
  waiting_.clear();
}

void outcome::cancel_wait(wait_ticket ticket, deliveries& due) {
  end_wait(ticket, wait_end::cancelled, due);
}

void outcome::fail(std::exception_ptr error, deliveries& due) {
  if (ready()) return;
  if (operation_) {
    operation_->fail(std::move(error));
  } else {
    reason_ = std::move(error);
  }
  settle_as(status::failure, due);
}

void outcome::settle_as(status how, deliveries& due) {
  now.store(how);
  if (operation_) due.push_back(std::move(operation_));
  for (auto& each : std::exchange(waiting_, {})) {
    if (each.timer) each.timer->cancel();
    each.end(*this, std::move(each.handler), wait_end::ready, due);
  }
}

void wait_operation::begin(wait_ticket ticket, std::unique_ptr<delivery> handler) {
  std::shared_ptr<boost::asio::steady_timer> timer;
  if (limit && !of->ready()) {
    timer = std::make_shared<boost::asio::steady_timer>(core->executor(), *limit);
    timer->async_wait([pool = core, of = of, id = id, ticket](boost::system::error_code stopped) {
      if (stopped) return;
      pool->run(id, [of, ticket](deliveries& due) { of->end_wait(ticket, wait_end::late, due); });
    });
  }
  core->run(id, [of = of, one = outcome::waiter{ticket, std::move(handler), end, std::move(timer)}](
                    deliveries& due) mutable { of->wait(std::move(one), due); });
}

void end_look(outcome&, std::unique_ptr<delivery> handler, wait_end how, deliveries& due) {
  if (how == wait_end::cancelled) {
    complete(std::move(handler), due, operation_aborted());
  } else {
    keep<bool>(*handler, how == wait_end::ready);
    due.push_back(std::move(handler));
  }
}

void end_without_value(const outcome& of, std::unique_ptr<delivery> handler, wait_end how,
                       deliveries& due) {
  const auto why = [&] {
    if (how == wait_end::cancelled) return operation_aborted();
    if (how == wait_end::late) return std::make_exception_ptr(timeout_error{});
    if (of.reason()) return of.reason();
    return std::make_exception_ptr(error{errc::result_taken});
  };
  complete(std::move(handler), due, why());
}

void end_error_callback(outcome& of, std::unique_ptr<delivery> handler, wait_end, deliveries& due) {
  if (of.reason()) complete(std::move(handler), due, of.reason());
}

}  // namespace coterie::detail
