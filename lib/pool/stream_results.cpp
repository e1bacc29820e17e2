// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <memory>
#include <utility>

#include <coterie/detail/cancellation.hpp>
#include <coterie/detail/stream_state.hpp>
#include <coterie/detail/waiting.hpp>

namespace coterie::detail {

void stream_results::ask(wait_ticket ticket, std::unique_ptr<delivery> reader, deliveries& due) {
  readers_.push_back({ticket, std::move(reader)});
  serve(due);
}

void stream_results::cancel_wait(wait_ticket ticket, deliveries& due) {
  const auto found = std::ranges::find(readers_, ticket, &waiter::ticket);
  if (found == readers_.end()) return;
  complete(std::move(found->handler), due, operation_aborted());
  readers_.erase(found);
}

std::unique_ptr<delivery> stream_results::take_reader() {
  auto first = std::move(readers_.front().handler);
  readers_.pop_front();
  return first;
}

void ask_next(pool_core& core, job_id id, const std::shared_ptr<stream_results>& results,
              wait_ticket ticket, std::unique_ptr<delivery> reader) {
  core.run(id, [results, ticket, reader = std::move(reader)](deliveries& due) mutable {
    results->ask(ticket, std::move(reader), due);
  });
}

}  // namespace coterie::detail
