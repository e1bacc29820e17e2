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

pool_engine::pool_engine(boost::asio::any_io_executor executor, pool_settings settings)
    : executor_{std::move(executor)},
      processes_{settings.schedule.processes},
      service_{&pool_service::of(executor_)},
      scheduler_{settings.schedule},
      host_{executor_, std::move(settings.host), *this},
      jobs_{scheduler_, host_, counters_, home, settings.seed},
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
  pool_counters::add(counters_.jobs_pending);
  enter(from::caller, [this, id, work = std::move(work)] { jobs_.begin(id, work); });
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
    jobs_.end(id, problem, kill);
    const auto waiting = std::ranges::find(joiners_, id, &joiner::id);
    if (waiting == joiners_.end()) return;
    complete(std::move(waiting->handler), jobs_.due, problem);
    joiners_.erase(waiting);
  });
}

void pool_engine::run(job_id id, unique_function<void(deliveries&)> function) {
  enter(from::caller, [this, id, function = std::move(function)]() mutable {
    try {
      function(jobs_.due);
      jobs_.take_released(id);
    } catch (...) {
      jobs_.end(id, std::current_exception(), false);
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
      complete(std::move(handler), jobs_.due, std::make_exception_ptr(error{errc::not_closed}));
    } else if (scheduler_.gone()) {
      complete(std::move(handler), jobs_.due, finalizer_error_);
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
  return counters_.stats();
}

// ---- coming to rest ---------------------------------------------------------------------------

void pool_engine::settle() {
  if (abandoned_) return;
  while (const auto next = scheduler_.next()) {
    std::visit([this](const auto& what) { perform(what); }, *next);
    // The program's own code may have forked, and this be the child.
    if (!home.is_here()) return;
  }
  host_.flush();
  if (!ended_.empty()) ended_.clear();
  counters_.workers_ready.store(scheduler_.workers_ready(), std::memory_order_relaxed);
  if (scheduler_.wants_time()) scheduler_.rest(std::chrono::steady_clock::now());
  arm_timer();
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
  jobs_.end_all(problem);
}

void pool_engine::reap_everything() noexcept {
  for (const worker_id each : host_.reap_all()) {
    scheduler_.exited(each, std::chrono::steady_clock::now());
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
        host_.stop_waiting();
        const auto problem = std::make_exception_ptr(home.refusal());
        jobs_.end_all(problem);
        for (auto& each : std::exchange(joiners_, {})) {
          complete(std::move(each.handler), jobs_.due, problem);
        }
      },
      [] {});
  // If it did not, this process was forked in the middle of the pool's work, which ends with this.
  if (ran) deliver_all(std::exchange(jobs_.due, {}), false);
}

void pool_engine::abandon() noexcept {
  closed_ = true;
  sequencer_.run(
      [this] {
        scheduler_.terminate();
        reap_everything();
        host_.abandon();
        abandoned_ = true;
        service_ = nullptr;
        counters_.workers_ready = 0;
        timer_.reset();
        // What these held may be what keeps the pool alive: it is let go of last.
        const auto joiners = std::exchange(joiners_, {});
        const auto due = std::exchange(jobs_.due, {});
        jobs_.abandon();
      },
      [] {});
}

}  // namespace coterie::detail
