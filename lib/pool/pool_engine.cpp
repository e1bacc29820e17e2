// SPDX-License-Identifier: BSL-1.0
#include "pool/pool_engine.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <coterie/error.hpp>

#include "host/local_host.hpp"
#include "host/local_machine.hpp"
#include "pool/pool_engine_enter.hpp"
#include "pool/pool_service.hpp"

namespace coterie::detail {

pool_engine::pool_engine(boost::asio::any_io_executor executor, pool_settings settings)
    : asio_runtime{std::move(executor)},
      processes_{settings.schedule.processes},
      service_{&pool_service::of(event_loop())},
      dispatcher_{
          settings.schedule, settings.seed,
          [&](host_events& events) {
            return std::make_unique<local_host>(
                std::make_unique<local_machine>(*this, settings.rings, std::move(settings.around)),
                std::move(settings.setup), *this, events);
          },
          *this, home} {}

pool_engine::~pool_engine() {
  if (service_ != nullptr) service_->remove(*this);
}

void pool_engine::start() {
  service_->add(*this);
  enter(from::caller, [] {});
}

// ---- what callers ask for ---------------------------------------------------------------------

void pool_engine::submit(job_id id, counted_ptr<job> work) {
  if (!home.is_here()) {
    deliveries due;
    work->finish(std::make_exception_ptr(home.refusal()), due);
    return deliver_all(std::move(due), false);
  }
  pool_counters::add(dispatcher_.counters().jobs_pending);
  enter(from::caller, [this, id, work = std::move(work)] { jobs().begin(id, work); });
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
    jobs().end(id, problem, kill);
    const auto waiting = std::ranges::find(joiners_, id, &joiner::id);
    if (waiting == joiners_.end()) return;
    complete(std::move(waiting->handler), jobs().due, problem);
    joiners_.erase(waiting);
  });
}

void pool_engine::run(job_id id, unique_function<void(deliveries&)> function) {
  enter(from::caller, [this, id, function = std::move(function)]() mutable {
    try {
      function(jobs().due);
      jobs().take_released(id);
    } catch (...) {
      jobs().end(id, std::current_exception(), false);
    }
  });
}

void pool_engine::run_soon(job_id id) {
  if (home.is_here()) post([this, id] { jobs().take_released(id); });
}

void pool_engine::close() {
  home.require();
  closed_ = true;
  enter(from::caller, [this] { dispatcher_.close(); });
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

void pool_engine::join(job_id id, std::unique_ptr<delivery> handler) {
  if (!home.is_here()) {
    deliveries due;
    complete(std::move(handler), due, std::make_exception_ptr(home.refusal()));
    return deliver_all(std::move(due), false);
  }
  enter(from::caller, [this, id, handler = std::move(handler)]() mutable {
    if (dispatcher_.phase() == pool_phase::open) {
      complete(std::move(handler), jobs().due, std::make_exception_ptr(error{errc::not_closed}));
    } else if (dispatcher_.phase() == pool_phase::gone) {
      complete(std::move(handler), jobs().due, dispatcher_.finalizer_error());
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
    dispatcher_.reap_all();
  });
  sequencer_.wait_for_rest();
}

pool_stats pool_engine::stats() const {
  home.require();
  return dispatcher_.counters().stats();
}

// ---- coming to rest ---------------------------------------------------------------------------

void pool_engine::settle() {
  if (abandoned_) return;
  dispatcher_.settle();
  if (!home.is_here()) return;
  if (dispatcher_.phase() == pool_phase::gone) {
    for (joiner& each : std::exchange(joiners_, {})) {
      complete(std::move(each.handler), jobs().due, dispatcher_.finalizer_error());
    }
  }
}

// ---- the end ----------------------------------------------------------------------------------

void pool_engine::end_everything(const std::exception_ptr& problem) {
  closed_ = true;
  dispatcher_.terminate(problem);
}

void pool_engine::breakdown(std::exception_ptr problem) noexcept {
  end_everything(problem);
  dispatcher_.reap_all();
}

void pool_engine::fail_in_child() noexcept {
  const bool ran = sequencer_.run(
      [this] {
        closed_ = true;
        abandoned_ = true;
        dispatcher_.stop_waiting();
        const auto problem = std::make_exception_ptr(home.refusal());
        jobs().end_all(problem);
        for (auto& each : std::exchange(joiners_, {})) {
          complete(std::move(each.handler), jobs().due, problem);
        }
      },
      [] {});
  // If it did not, this process was forked in the middle of the pool's work, which ends with this.
  if (ran) deliver_all(std::exchange(jobs().due, {}), false);
}

void pool_engine::abandon() noexcept {
  closed_ = true;
  sequencer_.run(
      [this] {
        // What these held may be what keeps the pool alive: it is let go of last.
        const auto joiners = std::exchange(joiners_, {});
        dispatcher_.abandon();
        abandoned_ = true;
        service_ = nullptr;
      },
      [] {});
}

}  // namespace coterie::detail
