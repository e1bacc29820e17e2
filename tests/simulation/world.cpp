// SPDX-License-Identifier: BSL-1.0
#include "world.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>
#include <utility>

#include <coterie/error.hpp>
#include <coterie/pool.hpp>

#include "channel/ring_pair.hpp"
#include "host/local_host.hpp"
#include "messages/setup_frame.hpp"
#include "timing/timing.hpp"

namespace simulation {

namespace detail = coterie::detail;
namespace timing = coterie::detail::timing;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::array<const char*, 4> fate_names{"returns", "throws", "crashes", "hangs"};

std::string text_of_error(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "no exception of the standard";
  }
}

template <class Exception>
const Exception* as(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const Exception& found) {
    return &found;  // lives as long as `why`
  } catch (...) {
    return nullptr;
  }
}

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

}  // namespace

world::world(std::uint64_t seed, std::FILE* story_out)
    : chance_{seed}, story_{story_out}, loop_{std::make_shared<event_loop>(chance_.next())} {
  call_events::now = this;
  const int processes = static_cast<int>(chance_.between(1, 5));
  machine_faults faults;
  // Most seeds have few faults, some many, and some none.
  if (!chance_.once_in(4)) faults.workers.crash_in = std::size_t{1} << chance_.between(7, 14);
  if (chance_.once_in(4)) faults.workers.stuck_start_in = chance_.between(3, 20);
  if (chance_.once_in(3)) faults.failed_start_in = chance_.between(2, 20);
  const std::size_t kind = chance_.below(8);
  if (kind == 0) faults.refused_memory_in = 1;
  if (kind == 1) faults.refused_memory_in = 3;
  if (chance_.once_in(3)) kill_in_ = std::size_t{1} << chance_.between(8, 14);
  const bool polls = chance_.once_in(3);
  const detail::ring_settings rings{.capacity = chance_.once_in(3)
                                                    ? std::size_t{16} << 10U
                                                    : detail::ring_pair::capacity_for(processes),
                                    .busy_poll = polls ? microseconds{50} : nanoseconds{},
                                    .links = processes};
  tell(processes, " workers, ", polls ? "polling" : "no polling", ", crash in ",
       faults.workers.crash_in, ", kill in ", kill_in_, ", failed start in ",
       faults.failed_start_in, ", no memory in ", faults.refused_memory_in);

  auto payload = std::make_shared<detail::byte_buffer>();
  detail::encode(*payload, detail::worker_setup{
                               .size = processes,
                               .initializer = any_of(chance_, &begin_well, &begin_badly).function(),
                               .finalizer = any_of(chance_, &begin_well, &leave_badly).function()});
  if (chance_.once_in(16)) leaves_at_ = chance_.below(3000);
  pool_ = std::make_unique<detail::dispatcher>(
      detail::scheduler_settings{.processes = processes,
                                 .start_timeout = seconds{5},
                                 .restarts = {.starts = static_cast<std::size_t>(16 * processes)}},
      1,
      [&](detail::host_events& events) {
        auto machine = std::make_unique<simulated_machine>(*loop_, chance_, faults, rings);
        machine_ = machine.get();
        machine_->when_started = [this](const simulated_worker& worker) {
          tell("worker ", worker.rank(), " (pid ", worker.pid(), ") starts");
          ++result_.workers;
          if (worker.shares_memory()) shares_memory_.insert(worker.pid());
          note_progress();
        };
        machine_->when_next_chunk = [this](const simulated_worker& worker) {
          for (item_record* const each : unsent_[worker.pid()]) each->sent = true;
          unsent_[worker.pid()].clear();
        };
        machine_->when_over = [this](const simulated_worker& worker) {
          tell("worker ", worker.rank(), " (pid ", worker.pid(), ") is over, status ",
               worker.wait_status());
          if (worker.wait_status() != 0) ++result_.deaths;
          in_item_.erase(worker.pid());
          note_progress();
        };
        return std::make_unique<detail::local_host>(std::move(machine), std::move(payload), *loop_,
                                                    events);
      },
      *loop_, home_);
  loop_->after_each_turn([this] { pool_->settle(); });
  loop_->enter([] {});
  plan_everything();
}

world::~world() {
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

void world::plan_everything() {
  const std::size_t calls = chance_.between(1, 6);
  for (std::uint64_t id = 1; id <= calls; ++id) {
    calls_[id].plan = plan_call(id);
    auto& call = calls_[id];
    for (const order& each : call.plan.items) call.items.push_back({.what = each});
    result_.items += call.items.size();
    const auto when = loop_->now() + chance_.time_between(microseconds{1}, seconds{60});
    loop_->add(when, [this, id] { make_call(id); });
    const bool hangs = std::ranges::any_of(
        call.plan.items, [](const order& each) { return each.does == fate::hangs; });
    if (hangs || chance_.once_in(6)) {
      loop_->add(when + chance_.time_between(microseconds{1}, seconds{300}),
                 [this, id] { end_call(id); });
    }
  }
  loop_->add(loop_->now() + chance_.time_between(seconds{1}, seconds{600}),
             [this] { close_pool(); });
}

call_plan world::plan_call(std::uint64_t id) {
  call_plan plan{.form = static_cast<call_form>(chance_.below(3)),
                 .text = chance_.once_in(4),
                 .chunksize = chance_.once_in(2) ? 0 : chance_.between(1, 20),
                 .window = chance_.once_in(3) ? chance_.between(1, 64) : 0,
                 .items = {}};
  if (plan.form == call_form::stream && plan.window == 0) plan.window = chance_.between(8, 64);
  const std::size_t count = static_cast<std::size_t>(
      chance_.time_between(nanoseconds{1}, nanoseconds{plan.text ? 60 : 400}).count());
  const nanoseconds least = chance_.time_between(nanoseconds{100}, milliseconds{100});
  const nanoseconds most =
      std::max(least + nanoseconds{1}, chance_.time_between(least, seconds{120}));
  const std::size_t throws_in = chance_.once_in(2) ? chance_.between(2, 50) : 0;
  const std::size_t crashes_in = chance_.once_in(3) ? chance_.between(5, 100) : 0;
  // A call that ends with its first error leaves its workers alone, and they would hang for ever.
  const bool may_hang = plan.form != call_form::collected && chance_.once_in(8);
  const std::size_t hangs_in = may_hang ? chance_.between(20, 100) : 0;
  const bool large = plan.text && chance_.once_in(3);
  for (std::uint64_t index = 0; index < count; ++index) {
    order each{.call = id,
               .index = index,
               .lasts = chance_.once_in(16) ? 0 : chance_.time_between(least, most).count(),
               .does = fate::returns,
               .answer_size = 0};
    if (chance_.once_in(throws_in)) each.does = fate::throws;
    if (chance_.once_in(crashes_in)) each.does = fate::crashes;
    if (chance_.once_in(hangs_in)) each.does = fate::hangs;
    if (plan.text) {
      const auto size = chance_.time_between(nanoseconds{1}, nanoseconds{large ? 600'000 : 2000});
      each.answer_size = static_cast<std::uint32_t>(size.count());
    }
    plan.items.push_back(each);
  }
  return plan;
}

void world::make_call(std::uint64_t id) {
  simulated_call& call = calls_.at(id);
  constexpr std::array<const char*, 3> forms{"map", "map_settled", "stream"};
  tell("call ", id, ": ", forms[static_cast<std::size_t>(call.plan.form)], " of ",
       call.items.size(), call.plan.text ? " texts" : " items", ", chunksize ", call.plan.chunksize,
       ", window ", call.plan.window);
  pool_->counters().jobs_pending.fetch_add(1);
  call.made = true;
  pool_->jobs().begin(id, make_job(id, call));
  note_progress();
}

// A reader takes some of what is there, and comes back for more.
void world::read_stream(std::uint64_t id) {
  simulated_call& call = calls_.at(id);
  const std::size_t taken = chance_.between(1, call.unread);
  call.unread -= taken;
  call.released += taken;
  tell("call ", id, ": ", taken, " results are read");
  pool_->jobs().take_released(id);
  note_progress();
  if (call.unread > 0) {
    loop_->add(loop_->now() + chance_.time_between(microseconds{1}, milliseconds{500}),
               [this, id] { read_stream(id); });
  }
}

void world::end_call(std::uint64_t id) {
  simulated_call& call = calls_.at(id);
  if (call.ended) return;
  const bool hangs = std::ranges::any_of(
      call.plan.items, [](const order& each) { return each.does == fate::hangs; });
  const bool kill = hangs || chance_.once_in(2);
  tell("call ", id, " is cancelled", kill ? ", with kill" : "");
  pool_->jobs().end(id, std::make_exception_ptr(std::runtime_error{"cancelled"}), kill);
  note_progress();
}

void world::close_pool() {
  closed_ = true;
  note_progress();
  if (chance_.once_in(5)) {
    tell("the pool is terminated");
    terminated_ = true;
    return pool_->terminate(std::make_exception_ptr(coterie::pool_terminated{}));
  }
  tell("the pool is closed");
  pool_->close();
}

// ---- what is told -----------------------------------------------------------------------------

void world::broken(std::string what) {
  if (!fault_.empty()) return;
  fault_ = std::move(what);
  tell("BROKEN: ", fault_);
}

void world::item_begins(const order& what, const simulated_worker& in) {
  tell("worker ", in.rank(), " (pid ", in.pid(), ") begins item ", what.index, " of call ",
       what.call, ", which ", fate_names[static_cast<std::size_t>(what.does)]);
  item_record& item = calls_.at(what.call).items.at(what.index);
  if (++item.begun > 1) broken("an item was begun twice");
  if (item.outcomes > 0) broken("an item was begun after its outcome was told");
  item.begun_by = in.pid();
  last_begun_[in.pid()] = {what.call, what.index};
  in_item_.insert(in.pid());
  note_progress();
}

void world::item_over(const order& what) {
  item_record& item = calls_.at(what.call).items.at(what.index);
  item.over = true;
  in_item_.erase(item.begun_by);
  note_progress();
  unsent_[item.begun_by].push_back(&item);
  if (!shares_memory_.contains(item.begun_by)) return;
  const nanoseconds silence = loop_->now() - heard_of_[item.begun_by];
  const auto latest = loop_->now() + std::clamp<nanoseconds>(2 * silence, timing::link_check,
                                                             timing::idle_link_check);
  untold_.emplace(latest + milliseconds{200}, &item);
}

item_record* world::outcome_of(std::uint64_t id, std::size_t index) {
  note_progress();
  simulated_call& call = calls_.at(id);
  if (call.ended) {
    broken("an outcome came after the end of its call");
    return nullptr;
  }
  if (index >= call.items.size()) {
    broken("an outcome came of an item that is none");
    return nullptr;
  }
  item_record& item = call.items[index];
  if (++item.outcomes > 1) broken("an item has two outcomes");
  heard_of_[item.begun_by] = loop_->now();
  ++call.outcomes;
  if (call.plan.form == call_form::stream && call.unread++ == 0) {
    loop_->add(loop_->now() + chance_.time_between(microseconds{1}, milliseconds{500}),
               [this, id] { read_stream(id); });
  }
  return &item;
}

void world::item_returned(std::uint64_t id, std::size_t index) {
  tell("call ", id, ": item ", index, " returned");
  item_record* const item = outcome_of(id, index);
  if (item == nullptr) return;
  if (!item->over) broken("a result came of an item that has not ended");
  if (item->what.does != fate::returns) broken("a result came of an item that has none");
}

void world::item_failed(std::uint64_t id, std::size_t index, const std::exception_ptr& why) {
  const std::string text = text_of_error(why);
  tell("call ", id, ": item ", index, " failed: ", text);
  item_record* const item = outcome_of(id, index);
  if (item == nullptr) return;
  if (as<coterie::worker_crashed>(why) != nullptr) return check_crash(*item, why);
  if (as<coterie::start_failed>(why) != nullptr) {
    if (item->begun > 0) broken("an item that was begun failed for want of a worker");
    return;
  }
  if (item->what.does != fate::throws || !item->over) broken("an item failed that did not");
  if (text.find(std::to_string(answer_of(item->what))) == std::string::npos) {
    broken("an item failed with the error of another");
  }
}

void world::check_crash(item_record& item, const std::exception_ptr& why) {
  const auto& crash = *as<coterie::worker_crashed>(why);
  const auto& living = machine_->workers();
  if (std::ranges::any_of(living, [&](const auto& each) {
        return each->pid() == crash.pid() && each->now_is() != simulated_worker::stage::over;
      })) {
    broken("a crash was told of a worker that lives");
  }
  if (crash.item() != item.what.index) broken("a crash names another item");
  if (item.begun > 0 && item.begun_by != crash.pid()) broken("a crash names another worker");
  if (item.sent) broken("a result was lost that had been sent");
  if (!shares_memory_.contains(crash.pid())) return;
  if (++lost_with_[crash.pid()] > 1) broken("two items were lost with one worker");
  const auto last = last_begun_.find(crash.pid());
  if (item.begun > 0 && last->second != std::pair{item.what.call, std::size_t{item.what.index}}) {
    broken("an item was lost that was not the last one of its worker");
  }
}

void world::call_ended(std::uint64_t id, const std::exception_ptr& why) {
  simulated_call& call = calls_.at(id);
  tell("call ", id, " ends", why ? ": " + text_of_error(why) : std::string{});
  if (std::exchange(call.ended, true)) broken("a call ended twice");
  call.error = why;
  note_progress();
  if (!why && call.outcomes != call.items.size()) {
    broken("a call ended, and not all of its items have outcomes");
  }
}

// ---- how time passes --------------------------------------------------------------------------

summary world::run() {
  // What goes on for ever in itself would not be seen as a standstill.
  constexpr std::size_t most_steps = 20'000'000;
  while (fault_.empty() && !all_done()) {
    // The program destroys the pool where it stands.
    if (result_.steps == leaves_at_) return finished();
    if (++result_.steps > most_steps) broken("it does not come to an end");
    disturb();
    if (!advance()) {
      broken("nothing happens any more, and not everything is done");
    }
    check_quiet();
    check_hidden();
  }
  if (fault_.empty()) check_end();
  return finished();
}

summary world::finished() {
  result_.time = loop_->since_start();
  result_.lines = story_.lines();
  result_.hash = story_.hash();
  if (!fault_.empty()) throw std::runtime_error{fault_};
  return result_;
}

bool world::all_done() const {
  return closed_ && pool_->phase() == detail::pool_phase::gone &&
         std::ranges::all_of(calls_, [](const auto& each) { return each.second.ended; });
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
        able.push_back(each.get());
        break;
      case stage::sleeps:
        if (each->wakes() <= loop_->now()) {
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
  if (!chance_.once_in(kill_in_) || machine_->workers().empty()) return;
  auto& victim = *machine_->workers()[chance_.below(machine_->workers().size())];
  if (victim.now_is() == simulated_worker::stage::over) return;
  tell("worker ", victim.rank(), " (pid ", victim.pid(), ") is killed from outside");
  victim.signal(SIGKILL);
  note_progress();
}

// ---- rules ------------------------------------------------------------------------------------

// Where memory is shared, no result waits behind a long item: the parent finds it, at the latest
// when twice the time has passed that it took since it heard of the worker.
void world::check_hidden() {
  for (; !untold_.empty() && untold_.begin()->first < loop_->now();
       untold_.erase(untold_.begin())) {
    const item_record& item = *untold_.begin()->second;
    const bool lives = std::ranges::any_of(machine_->workers(), [&](const auto& each) {
      return each->pid() == item.begun_by && each->now_is() != simulated_worker::stage::over;
    });
    if (lives && item.outcomes == 0 && !calls_.at(item.what.call).ended) {
      broken("a result is there, and is not told");
    }
  }
}

// As long as there is something to do, something happens: at the latest when the parent checks its
// links, or, while no worker lives, when a start is tried again.
void world::check_quiet() {
  if (!in_item_.empty()) return;
  const bool wanted = std::ranges::any_of(calls_, [](const auto& each) {
    return each.second.made && !each.second.ended && each.second.unread == 0;
  });
  if (!wanted) return note_progress();
  const bool served = pool_->counters().workers_ready.load() > 0;
  const nanoseconds longest = served ? timing::idle_link_check + milliseconds{200}
                                     : timing::longest_restart_pause + seconds{6};
  if (loop_->now() - last_progress_ > longest)
    broken("there is something to do, and nothing is done");
}

void world::check_end() {
  if (!machine_->workers().empty()) broken("a worker is left over");
  if (pool_->counters().jobs_pending.load() != 0) broken("calls are still counted");
}

}  // namespace simulation
