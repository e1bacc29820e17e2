// SPDX-License-Identifier: BSL-1.0
#include "plan.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include "channel/ring_pair.hpp"

namespace simulation {

namespace detail = coterie::detail;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// ---- in workers -------------------------------------------------------------------------------

// What goes wrong when a worker begins, or leaves.
void begin_or_leave(std::size_t fails_in) {
  simulated_worker& here = *simulated_worker::running;
  here.sleep(here.chance().time_between(microseconds{1}, milliseconds{100}));
  if (!here.chance().once_in(fails_in)) return;
  if (here.chance().once_in(2)) here.crash(SIGSEGV);
  throw std::runtime_error{"it does not want to"};
}
void begin_well() { begin_or_leave(0); }
void begin_badly() { begin_or_leave(4); }
void leave_badly() { begin_or_leave(2); }

coterie::worker_task any_of(choices& chance, void (*well)(), void (*badly)()) {
  if (chance.once_in(2)) return {};
  return chance.once_in(4) ? badly : well;
}

// ---- in the program ---------------------------------------------------------------------------

call_plan plan_call(std::uint64_t id, choices& chance) {
  call_plan plan{.form = static_cast<call_form>(chance.below(3)),
                 .text = chance.once_in(4),
                 .chunksize = chance.once_in(2) ? 0 : chance.between(1, 20),
                 .window = chance.once_in(3) ? chance.between(1, 64) : 0,
                 .items = {}};
  if (plan.form == call_form::stream && plan.window == 0) plan.window = chance.between(8, 64);
  const std::size_t count = static_cast<std::size_t>(
      chance.time_between(nanoseconds{1}, nanoseconds{plan.text ? 60 : 400}).count());
  const nanoseconds least = chance.time_between(nanoseconds{100}, milliseconds{100});
  const nanoseconds most =
      std::max(least + nanoseconds{1}, chance.time_between(least, seconds{120}));
  const std::size_t throws_in = chance.once_in(2) ? chance.between(2, 50) : 0;
  const std::size_t crashes_in = chance.once_in(3) ? chance.between(5, 100) : 0;
  // A call that ends with its first error leaves its workers alone, and they would hang for ever.
  const bool may_hang = plan.form != call_form::collected && chance.once_in(8);
  const std::size_t hangs_in = may_hang ? chance.between(20, 100) : 0;
  const bool large = plan.text && chance.once_in(3);
  for (std::uint64_t index = 0; index < count; ++index) {
    order each{.call = id,
               .index = index,
               .lasts = chance.once_in(16) ? 0 : chance.time_between(least, most).count(),
               .does = fate::returns,
               .answer_size = 0};
    if (chance.once_in(throws_in)) each.does = fate::throws;
    if (chance.once_in(crashes_in)) each.does = fate::crashes;
    if (chance.once_in(hangs_in)) each.does = fate::hangs;
    if (plan.text) {
      const auto size = chance.time_between(nanoseconds{1}, nanoseconds{large ? 600'000 : 2000});
      each.answer_size = static_cast<std::uint32_t>(size.count());
    }
    plan.items.push_back(each);
  }
  plan.begins = chance.time_between(microseconds{1}, seconds{60});
  if (plan.hangs() || chance.once_in(6)) {
    plan.cancelled = chance.time_between(microseconds{1}, seconds{300});
  }
  return plan;
}

void add_fault_of_the_program(std::uint64_t id, call_plan& plan, choices& chance) {
  plan.input = static_cast<input_kind>(chance.below(3));
  plan.finish_throws = chance.once_in(6);
  fault planned{.call = id, .index = chance.below(plan.items.size())};
  switch (chance.below(5)) {
    case 0:
      break;
    case 1:
    case 2:
      planned.where = static_cast<place>(chance.between(static_cast<std::size_t>(place::begin),
                                                        static_cast<std::size_t>(place::step)));
      if (plan.input == input_kind::vector) plan.input = input_kind::forward_range;
      break;
    case 3:
      planned.where = place::taking;
      break;
    default:
      planned.where = plan.text ? place::encoding : place::taking;
      if (chance.once_in(8)) planned.where = place::function;
  }
  plan.throws = planned;
}

// So that a worker claims several at once.
void shorten_items(call_plan& plan) {
  constexpr std::int64_t most = 20'000;
  for (order& each : plan.items) each.lasts %= most;
}

}  // namespace

world_plan make_plan(choices& chance) {
  world_plan plan;
  plan.processes = static_cast<int>(chance.between(1, 5));
  // Most seeds have few faults, some many, and some none.
  machine_faults& faults = plan.faults;
  if (!chance.once_in(4)) faults.workers.crash_in = std::size_t{1} << chance.between(7, 14);
  if (chance.once_in(4)) faults.workers.stuck_start_in = chance.between(3, 20);
  if (chance.once_in(3)) faults.failed_start_in = chance.between(2, 20);
  const std::size_t kind = chance.below(8);
  if (kind == 0) faults.refused_memory_in = 1;
  if (kind == 1) faults.refused_memory_in = 3;
  if (chance.once_in(3)) plan.kill_in = std::size_t{1} << chance.between(8, 14);
  const bool polls = chance.once_in(3);
  plan.rings = {.capacity = chance.once_in(3) ? std::size_t{16} << 10U
                                              : detail::ring_pair::capacity_for(plan.processes),
                .busy_poll = polls ? microseconds{50} : nanoseconds{},
                .links = plan.processes};
  plan.initializer = any_of(chance, &begin_well, &begin_badly);
  plan.finalizer = any_of(chance, &begin_well, &leave_badly);
  if (chance.once_in(16)) plan.leaves_at = chance.below(3000);
  const std::size_t calls = chance.between(1, 6);
  for (std::uint64_t id = 1; id <= calls; ++id) plan.calls.emplace(id, plan_call(id, chance));
  plan.closed_after = chance.time_between(seconds{1}, seconds{600});
  return plan;
}

void add_misbehaviour(world_plan& plan, choices& chance) {
  if (chance.once_in(3)) {
    for (auto& [id, call] : plan.calls) {
      if (chance.once_in(2)) add_fault_of_the_program(id, call, chance);
    }
    if (chance.once_in(2)) plan.acts_inside_in = chance.between(10, 500);
  }
  if (chance.once_in(3)) plan.faults.workers.hostile_in = std::size_t{1} << chance.between(5, 12);
  if (chance.once_in(8)) {
    plan.faults.refused_memory_in = 1;
    for (auto& [id, call] : plan.calls) shorten_items(call);
  }
}

}  // namespace simulation
