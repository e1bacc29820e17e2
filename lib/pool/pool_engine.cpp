// SPDX-License-Identifier: BSL-1.0
#include "pool/pool_engine.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>

#include <coterie/cpus.hpp>
#include <coterie/error.hpp>
#include <coterie/this_worker.hpp>

#include "channel/busy_poll.hpp"
#include "channel/ring_pair.hpp"
#include "messages/setup_frame.hpp"
#include "pool/pool_engine_enter.hpp"
#include "pool/pool_service.hpp"
#include "processes/worker_environment.hpp"
#include "program/program.hpp"
#include "program/rights.hpp"

namespace coterie::detail {

namespace {

void check_rights() {
  if (start_rights() != worker_rights::undecided) return;
  throw error{
      errc::privileged,
      "coterie: this process has the rights of one user or group and acts as another (it is a set-user-ID "
      "or set-group-ID program), or its file has capabilities; its workers, which are started anew, would "
      "have rights that it has not chosen: give up one of the two for good (setresuid, setresgid) before "
      "the pool is made, or run a file without capabilities"};
}

int checked_processes(const pool_options& options) {
  if (options.processes < 0 || options.processes > pool_options::most_processes) {
    throw std::invalid_argument{"coterie: a pool cannot have " + std::to_string(options.processes) +
                                " workers: pool_options::processes must be 1 to " +
                                std::to_string(pool_options::most_processes) +
                                ", or 0 for the CPUs that this process may use"};
  }
  return options.processes == 0 ? available_cpus() : options.processes;
}

void check_limits(const pool_options& options) {
  if (options.start_timeout < std::chrono::nanoseconds::zero()) {
    throw std::invalid_argument{
        "coterie: pool_options::start_timeout is negative; zero means that there is no limit"};
  }
  if (options.restart_limit.starts < 0 ||
      options.restart_limit.window <= std::chrono::nanoseconds::zero()) {
    throw std::invalid_argument{
        "coterie: pool_options::restart_limit needs a number of starts that is 0 (automatic) or more, and a "
        "window that is longer than zero"};
  }
  if (options.busy_poll < std::chrono::nanoseconds::zero() ||
      options.busy_poll > busy_poll::longest) {
    throw std::invalid_argument{"coterie: pool_options::busy_poll must be 0 (never) to one second"};
  }
}

restart_limits restarts_for(int processes, const restart_intensity& limit) {
  constexpr int starts_each = 16;
  const int starts = limit.starts > 0 ? limit.starts : starts_each * processes;
  return {.starts = static_cast<std::size_t>(starts), .window = limit.window};
}

bool memory_allowed_by_environment() {
  const char* const value = std::getenv("COTERIE_SHARED_MEMORY");
  return value == nullptr || std::string_view{value} != "0";
}

ring_settings rings_for(int processes, const pool_options& options) {
  if (!options.shared_memory || !memory_allowed_by_environment()) return {};
  // Whoever looks for input must not take a CPU that somebody needs: each worker, or the event loop.
  const bool idle_cpus = available_cpus() > processes;
  return {.capacity = ring_pair::capacity_for(processes),
          .busy_poll = idle_cpus ? options.busy_poll : std::chrono::nanoseconds::zero(),
          .links = processes};
}

void check_initialized() {
  if (const auto worker = worker_environment::find()) {
    std::fprintf(
        stderr,
        "coterie: this process was started as worker %d, but its main makes a pool without "
        "having called coterie::init(argc, argv): call it first in main, before anything "
        "else\n",
        worker->rank);
    ::_exit(exit_without_init);
  }
  if (this_worker::rank() >= 0) {
    throw error{
        errc::not_initialized,
        "coterie: a task made a pool, and workers have none of their own: make pools in the "
        "program, and submit there what this task wants to have done"};
  }
  if (program::instance().called_worker) {
    throw error{
        errc::not_initialized,
        std::string{"coterie: this process was started with "} + worker_environment::variable +
            " in its environment, which only a pool sets for its own workers, and not by a pool: "
            "start it without that variable"};
  }
  if (!program::instance().initialized) {
    throw error{errc::not_initialized,
                "coterie: a pool needs coterie::init(argc, argv) as the first statement of main: "
                "workers run the same program, and that is where they become workers"};
  }
}

shared_payload encoded_setup(int processes, const pool_options& options) {
  auto bytes = std::make_shared<byte_buffer>();
  encode(*bytes, worker_setup{.size = processes,
                              .initializer = options.initializer.function(),
                              .finalizer = options.finalizer.function()});
  return bytes;
}

}  // namespace

std::shared_ptr<pool_core> pool_core::make(boost::asio::any_io_executor executor,
                                           const pool_options& options, event_loop_contract) {
  check_initialized();
  check_rights();
  check_limits(options);
  auto engine = make_shared_at_home<pool_engine>(std::move(executor), options);
  engine->start();
  return engine;
}

pool_engine::pool_engine(boost::asio::any_io_executor executor, const pool_options& options)
    : executor_{std::move(executor)},
      processes_{checked_processes(options)},
      rings_{rings_for(processes_, options)},
      surroundings_{surroundings_for(options)},
      seed_{options.seed},
      setup_{encoded_setup(processes_, options)},
      service_{&pool_service::of(executor_)},
      scheduler_{{.processes = processes_,
                  .start_timeout = options.start_timeout,
                  .restarts = restarts_for(processes_, options.restart_limit)}},
      timer_{executor_} {}

pool_engine::~pool_engine() {
  if (service_ != nullptr) service_->remove(*this);
}

void pool_engine::start() {
  service_->add(*this);
  enter(from::caller, [] {});
}

// ---- what callers ask for ---------------------------------------------------------------------

void pool_engine::submit(job_id id, std::shared_ptr<job> work) {
  if (!home.is_here()) {
    deliveries due;
    work->finish(std::make_exception_ptr(home.refusal()), due);
    return deliver_all(std::move(due), false);
  }
  counters_.jobs_pending.fetch_add(1, std::memory_order_relaxed);
  enter(from::caller, [this, id, work = std::move(work)] { begin_job(id, work); });
}

void pool_engine::cancel(job_id id, std::exception_ptr problem, bool kill) {
  end_call(id, std::move(problem), kill);
}

void pool_engine::cancel_and_wait(job_id id, std::exception_ptr problem, bool kill) {
  if (!end_call(id, std::move(problem), kill)) sequencer_.wait_for_rest();
}

// False: it is left to the thread that is at work now.
bool pool_engine::end_call(job_id id, std::exception_ptr problem, bool kill) {
  return enter(from::caller, [this, id, problem = std::move(problem), kill] {
    end_job(id, problem, kill);
    const auto waiting = std::ranges::find(joiners_, id, &joiner::id);
    if (waiting == joiners_.end()) return;
    complete(std::move(waiting->handler), due_, problem);
    joiners_.erase(waiting);
  });
}

void pool_engine::run(job_id id, unique_function<void(deliveries&)> function) {
  enter(from::caller, [this, id, function = std::move(function)]() mutable {
    try {
      function(due_);
      take_released(id);
    } catch (...) {
      end_job(id, std::current_exception(), false);
    }
  });
}

void pool_engine::close() {
  home.require();
  closed_ = true;
  enter(from::caller, [this] { scheduler_.close(); });
}

void pool_engine::terminate() {
  home.require();
  closed_ = true;
  enter(from::caller, [this] {
    end_everything(std::make_exception_ptr(pool_terminated{}));
    // Signals go out before this returns, even if the rest of the news has to wait.
    settle();
  });
  sequencer_.wait_for_rest();
}

void pool_engine::join(job_id id, std::unique_ptr<completion<>> handler) {
  if (!home.is_here()) {
    deliveries due;
    complete(std::move(handler), due, std::make_exception_ptr(home.refusal()));
    return deliver_all(std::move(due), false);
  }
  enter(from::caller, [this, id, handler = std::move(handler)]() mutable {
    if (scheduler_.phase() == pool_phase::open) {
      complete(std::move(handler), due_, std::make_exception_ptr(error{errc::not_closed}));
    } else if (scheduler_.gone()) {
      complete(std::move(handler), due_, finalizer_problem_);
    } else {
      joiners_.push_back({id, std::move(handler)});
    }
  });
}

void pool_engine::destroy() noexcept {
  if (!home.is_here()) return;
  closed_ = true;
  enter(from::caller, [this] {
    end_everything(std::make_exception_ptr(pool_terminated{}));
    reap_everything();
    timer_.reset();
  });
  sequencer_.wait_for_rest();
}

pool_stats pool_engine::stats() const {
  home.require();
  constexpr auto order = std::memory_order_relaxed;
  return {.workers_ready = counters_.workers_ready.load(order),
          .workers_started = counters_.workers_started.load(order),
          .workers_crashed = counters_.workers_crashed.load(order),
          .starts_failed = counters_.starts_failed.load(order),
          .tasks_done = counters_.tasks_done.load(order),
          .tasks_failed = counters_.tasks_failed.load(order),
          .workers_without_shared_memory = counters_.workers_without_memory.load(order),
          .jobs_pending = counters_.jobs_pending.load(order)};
}

// ---- coming to rest ---------------------------------------------------------------------------

void pool_engine::settle() {
  if (abandoned_) return;
  while (const auto next = scheduler_.next()) {
    std::visit([this](const auto& what) { perform(what); }, *next);
    // The program's own code may have forked, and this be the child.
    if (!home.is_here()) return;
  }
  for (const auto& worker : to_flush_) {
    worker->to_be_flushed = false;
    worker->wire->flush(worker);
  }
  to_flush_.clear();
  if (!ended_.empty()) ended_.clear();
  counters_.workers_ready.store(scheduler_.workers_ready(), std::memory_order_relaxed);
  if (scheduler_.wants_time()) scheduler_.rest(std::chrono::steady_clock::now());
  arm_timer();
}

void pool_engine::flush_later(worker_peer& worker) {
  if (!std::exchange(worker.to_be_flushed, true)) to_flush_.push_back(worker.shared_from_this());
}

void pool_engine::arm_timer() {
  if (!timer_) return;
  const auto deadline = scheduler_.next_deadline();
  // One that runs out earlier is left to run: that is cheaper than to set it again.
  if (deadline ? armed_for_ && *armed_for_ <= *deadline : !armed_for_) return;
  armed_for_ = deadline;
  if (!deadline) {
    timer_->cancel();
    return;
  }
  timer_->expires_at(*deadline);
  timer_->async_wait([self = shared_from_this()](const auto& problem) {
    if (problem) return;
    self->enter(from::event_loop, [engine = self.get()] {
      engine->armed_for_.reset();
      engine->scheduler_.tick(std::chrono::steady_clock::now());
    });
  });
}

// ---- the end ----------------------------------------------------------------------------------

void pool_engine::end_everything(const std::exception_ptr& problem) {
  closed_ = true;
  scheduler_.terminate();
  to_spawn_.clear();
  for (auto& [id, each] : std::exchange(jobs_, {})) {
    counters_.jobs_pending.fetch_sub(1, std::memory_order_relaxed);
    finish(*each.work, problem);
  }
}

void pool_engine::reap_everything() noexcept {
  // All are told to end before the first is waited for: they die side by side.
  for (const auto& [id, worker] : workers_) worker->process->kill();
  for (const auto& [id, worker] : std::exchange(workers_, {})) {
    retire(worker);
    scheduler_.exited(id, std::chrono::steady_clock::now());
  }
  to_flush_.clear();
}

void pool_engine::retire(const std::shared_ptr<worker_peer>& worker) noexcept {
  worker->end();
  if (worker->at_rest()) return;
  try {
    leaving_.push_back(worker);
  } catch (const std::bad_alloc&) {
    worker->abandon();
  }
}

void pool_engine::breakdown(std::exception_ptr problem) noexcept {
  end_everything(problem);
  reap_everything();
}

void pool_engine::fail_in_child() noexcept {
  const bool ran = sequencer_.run(
      [this] {
        closed_ = true;
        abandoned_ = true;
        if (timer_) timer_->cancel();
        for (const auto& [id, worker] : workers_) worker->stop_waiting();
        for (const auto& worker : leaving_) worker->stop_waiting();
        const auto problem = std::make_exception_ptr(home.refusal());
        for (auto& [id, each] : std::exchange(jobs_, {})) each.work->finish(problem, due_);
        for (auto& each : std::exchange(joiners_, {})) {
          complete(std::move(each.handler), due_, problem);
        }
      },
      [] {});
  // If it did not, this process was forked in the middle of the pool's work, which ends with this.
  if (ran) deliver_all(std::exchange(due_, {}), false);
}

void pool_engine::abandon() noexcept {
  closed_ = true;
  sequencer_.run(
      [this] {
        scheduler_.terminate();
        reap_everything();
        for (const auto& worker : std::exchange(leaving_, {})) worker->abandon();
        abandoned_ = true;
        service_ = nullptr;
        counters_.workers_ready = 0;
        timer_.reset();
        // What these held may be what keeps the pool alive: it is let go of last.
        auto jobs = std::exchange(jobs_, {});
        auto joiners = std::exchange(joiners_, {});
        auto due = std::exchange(due_, {});
        for (auto& [id, each] : jobs) each.work->abandon();
      },
      [] {});
}

}  // namespace coterie::detail
