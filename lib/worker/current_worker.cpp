// SPDX-License-Identifier: BSL-1.0
#include "worker/current_worker.hpp"

#include <coterie/detail/seeds.hpp>
#include <coterie/this_worker.hpp>

namespace coterie {

namespace {

const detail::worker_state& state() noexcept {
  static constexpr detail::worker_state no_worker;
  return detail::current_worker != nullptr ? *detail::current_worker : no_worker;
}

std::uint64_t item_in_call(const detail::worker_state& now) noexcept {
  return now.first_of_chunk + now.running->current();
}

}  // namespace

int this_worker::rank() noexcept { return state().rank; }

int this_worker::size() noexcept { return state().size; }

std::int64_t this_worker::incarnation() noexcept { return state().incarnation; }

std::int64_t this_worker::item() noexcept {
  const detail::worker_state& now = state();
  return now.running == nullptr ? -1 : static_cast<std::int64_t>(item_in_call(now));
}

std::uint64_t this_worker::seed() noexcept {
  const detail::worker_state& now = state();
  return now.running == nullptr ? 0 : detail::split_seed(now.seed_of_call, item_in_call(now));
}

}  // namespace coterie
