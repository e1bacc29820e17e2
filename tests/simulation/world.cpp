// SPDX-License-Identifier: BSL-1.0
#include "world.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>
#include <utility>

#include <coterie/error.hpp>

#include "host/local_host.hpp"
#include "messages/setup_frame.hpp"

namespace simulation {

namespace detail = coterie::detail;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// What is left to chance by a second seed: worlds without it are as they were before there was any.
// So are those of known seeds, by this number.
constexpr std::uint64_t of_misbehaviour = 132;

}  // namespace

world::world(std::uint64_t seed, std::FILE* story_out)
    : chance_{seed},
      mischief_{~seed + of_misbehaviour},
      loop_{std::make_shared<event_loop>(chance_.next())},
      story_{*loop_, story_out},
      rules_{*loop_, story_},
      plan_{make_plan(chance_)} {
  add_misbehaviour(plan_, mischief_);
  call_events::now = &rules_;
  rules_.when_unread = [this](std::uint64_t id) { read_later(id); };
  rules_.when_program_runs = [this] { act_inside(); };
  rules_.when_stuck = [this](pid_t worker) { kill_later(worker); };
  tell_plan();
  make_pool();
  loop_->after_each_turn([this] {
    pool_->settle();
    rules_.check_turn();
  });
  loop_->enter([] {});
  begin_calls();
}

void world::tell_plan() {
  const machine_faults& faults = plan_.faults;
  tell(plan_.processes, " workers, ",
       plan_.rings.busy_poll > nanoseconds{} ? "polling" : "no polling", ", crash in ",
       faults.workers.crash_in, ", kill in ", plan_.kill_in, ", failed start in ",
       faults.failed_start_in, ", no memory in ", faults.refused_memory_in);
  if (faults.workers.hostile_in > 0) tell("hostile in ", faults.workers.hostile_in);
}

void world::make_pool() {
  auto setup = std::make_shared<detail::byte_buffer>();
  detail::encode(*setup, detail::worker_setup{.size = plan_.processes,
                                              .initializer = plan_.initializer.function(),
                                              .finalizer = plan_.finalizer.function()});
  const auto starts = static_cast<std::size_t>(16 * plan_.processes);
  pool_ = std::make_unique<detail::dispatcher>(
      detail::scheduler_settings{.processes = plan_.processes,
                                 .start_timeout = seconds{5},
                                 .restarts = {.starts = starts}},
      1,
      [&](detail::host_events& events) {
        auto machine = std::make_unique<simulated_machine>(*loop_, chance_, mischief_, plan_.faults,
                                                           plan_.rings, rules_);
        machine_ = machine.get();
        return std::make_unique<detail::local_host>(std::move(machine), std::move(setup), *loop_,
                                                    events);
      },
      *loop_, home_);
}

world::~world() {
  rules_.pool_is_terminated();
  // As the destructor of a pool does.
  loop_->enter([this] {
    pool_->terminate(std::make_exception_ptr(coterie::pool_terminated{}));
    pool_->reap_all();
  });
  pool_->abandon();
  loop_->drop_all();
  pool_.reset();
  call_events::now = nullptr;
}

// ---- what the program does --------------------------------------------------------------------

void world::begin_calls() {
  for (auto& [id, plan] : plan_.calls) {
    simulated_call& call = rules_.calls()[id];
    call.plan = std::move(plan);
    for (const order& each : call.plan.items) call.items.push_back({.what = each});
    result_.items += call.items.size();
    const auto when = loop_->now() + call.plan.begins;
    loop_->add(when, [this, id] { make_call(id); });
    if (call.plan.cancelled) {
      loop_->add(when + *call.plan.cancelled, [this, id] { end_call(id); });
    }
  }
  loop_->add(loop_->now() + plan_.closed_after, [this] { close_pool(); });
}

void world::make_call(std::uint64_t id) {
  simulated_call& call = rules_.call(id);
  if (std::exchange(call.made, true)) return;
  call.made_late = closed_;
  constexpr std::array<const char*, 3> forms{"map", "map_settled", "stream"};
  tell("call ", id, ": ", forms[static_cast<std::size_t>(call.plan.form)], " of ",
       call.items.size(), call.plan.text ? " texts" : " items", ", chunksize ", call.plan.chunksize,
       ", window ", call.plan.window);
  pool_->counters().jobs_pending.fetch_add(1);
  pool_->jobs().begin(id, make_job(id, call));
  rules_.note_progress();
}

void world::read_later(std::uint64_t id) {
  loop_->add(loop_->now() + chance_.time_between(microseconds{1}, milliseconds{500}),
             [this, id] { read_stream(id); });
}

// A reader takes some of what is there, and comes back for more.
void world::read_stream(std::uint64_t id) {
  simulated_call& call = rules_.call(id);
  const std::size_t taken = chance_.between(1, call.unread);
  call.unread -= taken;
  call.released += taken;
  tell("call ", id, ": ", taken, " results are read");
  pool_->jobs().take_released(id);
  rules_.note_progress();
  if (call.unread > 0) read_later(id);
}

void world::end_call(std::uint64_t id) {
  simulated_call& call = rules_.call(id);
  if (call.ended) return;
  const bool kill = call.plan.hangs() || chance_.once_in(2);
  tell("call ", id, " is cancelled", kill ? ", with kill" : "");
  call.cancelled = true;
  pool_->jobs().end(id, std::make_exception_ptr(call_cancelled{}), kill);
  rules_.note_progress();
}

void world::close_pool() {
  if (std::exchange(closed_, true)) return;
  rules_.note_progress();
  if (chance_.once_in(5)) {
    tell("the pool is terminated");
    rules_.pool_is_terminated();
    return pool_->terminate(std::make_exception_ptr(coterie::pool_terminated{}));
  }
  tell("the pool is closed");
  pool_->close();
}

// Code of the program uses the pool that has called it: what it asks for is done after this turn.
void world::act_inside() {
  if (!mischief_.once_in(plan_.acts_inside_in)) return;
  const std::uint64_t id = mischief_.between(1, rules_.calls().size());
  const std::size_t what = mischief_.below(20);
  loop_->enter([this, id, what] {
    if (what == 0) return close_pool();
    return what < 10 ? end_call(id) : make_call(id);
  });
}

// ---- how time passes --------------------------------------------------------------------------

summary world::run() {
  // What goes on for ever in itself would not be seen as a standstill.
  constexpr std::size_t most_steps = 5'000'000;
  while (rules_.fault().empty() && !all_done()) {
    // The program destroys the pool where it stands.
    if (result_.steps == plan_.leaves_at) return finished();
    if (++result_.steps > most_steps) rules_.broken("it does not come to an end");
    disturb();
    if (!step()) {
      rules_.broken("nothing happens any more, and not everything is done");
    }
    rules_.check_quiet(pool_->counters().workers_ready.load() > 0);
    rules_.check_times();
  }
  if (rules_.fault().empty()) check_end();
  return finished();
}

// No turn of the parent throws.
bool world::step() {
  try {
    return advance();
  } catch (const std::exception& error) {
    rules_.broken(std::string{"a turn has thrown: "} + error.what());
  }
  return true;
}

summary world::finished() {
  result_.time = loop_->since_start();
  result_.workers = rules_.worker_count();
  result_.deaths = rules_.deaths();
  result_.lines = story_.lines();
  result_.hash = story_.hash();
  if (!rules_.fault().empty()) throw std::runtime_error{rules_.fault()};
  return result_;
}

bool world::all_done() const {
  return closed_ && pool_->phase() == detail::pool_phase::gone && rules_.all_ended();
}

// One step of one of those that can go on. If none can, time passes until one can.
bool world::advance() {
  loop_->look_at_sockets();
  using stage = simulated_worker::stage;
  std::vector<simulated_worker*> able;
  std::vector<simulated_worker*> waiting;
  std::vector<pollfd> waited_for;
  auto next = loop_->next();
  for (const auto& each : machine_->workers()) {
    switch (each->now_is()) {
      case stage::runs:
      case stage::sleeps:
        if (each->is_able()) {
          able.push_back(each.get());
        } else if (!next || each->wakes() < *next) {
          next = each->wakes();
        }
        break;
      case stage::waits:
        waiting.push_back(each.get());
        waited_for.push_back({each->waits_for(), each->waits_how(), 0});
        break;
      case stage::over:
        break;
    }
  }
  if (!waiting.empty() && ::poll(waited_for.data(), waited_for.size(), 0) > 0) {
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waited_for[i].revents != 0) able.push_back(waiting[i]);
    }
  }
  const bool parent_can = loop_->next() && *loop_->next() <= loop_->now();
  const std::size_t choices = able.size() + (parent_can ? 1 : 0);
  if (choices == 0) {
    if (!next) return false;
    loop_->pass_until(*next);
    return true;
  }
  const std::size_t chosen = chance_.below(choices);
  if (chosen < able.size()) {
    able[chosen]->go_on();
  } else {
    loop_->run_next();
  }
  loop_->pass(nanoseconds{static_cast<std::int64_t>(chance_.between(20, 2000))});
  return true;
}

// A worker is killed from outside.
void world::disturb() {
  if (!chance_.once_in(plan_.kill_in) || machine_->workers().empty()) return;
  auto& victim = *machine_->workers()[chance_.below(machine_->workers().size())];
  if (victim.now_is() == simulated_worker::stage::over) return;
  tell("worker ", victim.rank(), " (pid ", victim.pid(), ") is killed from outside");
  victim.signal(SIGKILL);
  rules_.note_progress();
}

// One that would go on for ever, as far as is known.
void world::kill_later(pid_t worker) {
  loop_->add(loop_->now() + mischief_.time_between(milliseconds{1}, seconds{60}), [this, worker] {
    for (const auto& each : machine_->workers()) {
      if (each->pid() == worker) each->signal(SIGKILL);
    }
  });
}

void world::check_end() {
  if (!machine_->workers().empty()) rules_.broken("a worker is left over");
  if (pool_->counters().workers_crashed.load() > rules_.crashes()) {
    rules_.broken("workers count as crashed that have not");
  }
  if (pool_->counters().jobs_pending.load() != 0) rules_.broken("calls are still counted");
}

}  // namespace simulation
