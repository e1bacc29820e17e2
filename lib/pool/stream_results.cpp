// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <memory>
#include <utility>

#include <coterie/detail/cancellation.hpp>
#include <coterie/detail/stream_state.hpp>
#include <coterie/detail/waiting.hpp>

namespace coterie::detail {

namespace {

// A reader that takes results in a row keeps the event loop from others.
constexpr std::size_t most_in_a_row = 64;

// So many results are taken before the pool is told: a message to a worker is then worth it, and
// most of the window is still there for workers that are at work.
constexpr std::size_t untold(std::size_t window) {
  constexpr std::size_t enough = 32;
  return window == 0 ? enough : std::clamp(window / 8, std::size_t{1}, enough);
}

}  // namespace

stream_results::stream_results(stream_order order, std::size_t window)
    : tell_at_{untold(window)}, order_{order} {}

void stream_results::announce() noexcept {
  const lock locked{mutex_};
  ++on_their_way_;
}

void stream_results::ask(wait_ticket ticket, std::unique_ptr<delivery> reader, deliveries& due) {
  const lock locked{mutex_};
  --on_their_way_;
  in_a_row_ = 0;
  readers_.push_back({ticket, std::move(reader)});
  serve(due);
}

void stream_results::cancel_wait(wait_ticket ticket, deliveries& due) {
  const lock locked{mutex_};
  const auto found = std::ranges::find(readers_, ticket, &waiter::ticket);
  if (found == readers_.end()) return;
  // Out of the row first: if there is no memory for the rest, it is dropped.
  auto reader = std::move(found->handler);
  readers_.erase(found);
  complete(std::move(reader), due, operation_aborted());
}

std::size_t stream_results::released() noexcept {
  const lock locked{mutex_};
  return std::exchange(released_, 0);
}

std::unique_ptr<delivery> stream_results::take_reader() {
  auto first = std::move(readers_.front().handler);
  readers_.pop_front();
  return first;
}

// One by one, and not under the lock: what their handlers hold may come here again.
void stream_results::drop_readers() noexcept {
  for (;;) {
    std::unique_ptr<delivery> dropped;
    const lock locked{mutex_};
    if (!has_readers()) return;
    dropped = take_reader();
  }
}

bool stream_results::may_take() const noexcept {
  return on_their_way_ == 0 && in_a_row_ < most_in_a_row;
}

stream_results::next_step stream_results::count_taken() noexcept {
  ++in_a_row_;
  ++released_;
  if (released_ >= tell_at_) return next_step::tell_now;
  // Whatever the reader does next: it may be long in coming back.
  return released_ == 1 ? next_step::tell_soon : next_step::go_on;
}

void next_operation::begin(wait_ticket ticket, std::unique_ptr<delivery> reader) {
  // Another thread may be at work in the pool, and what is left to it comes late.
  if (core->home.is_here()) results->announce();
  core->run(id, [results = results, ticket, reader = std::move(reader)](deliveries& due) mutable {
    results->ask(ticket, std::move(reader), due);
  });
}

void tell_pool(pool_core& core, job_id id, stream_results::next_step step) noexcept {
  try {
    if (step == stream_results::next_step::tell_now) core.run(id, [](deliveries&) {});
    if (step == stream_results::next_step::tell_soon) core.run_soon(id);
  } catch (...) {
    // No memory. The reader has what it came for; the pool is told after more, or when one waits.
    return;
  }
}

}  // namespace coterie::detail
