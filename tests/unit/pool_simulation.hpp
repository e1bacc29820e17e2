// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <queue>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "schedule/scheduler.hpp"

/// A pool whose time is made up: the real scheduler decides, workers and messages are events in a queue.
///
/// What costs time, apart from the items: a message is under way for `message`, and the parent works for
/// `parent` on each chunk that it sends, one after another. So a worker that has nothing more to do
/// waits for 2 * message + parent between two chunks. A worker that goes on to a next chunk tells of
/// the last one when `silence` has passed since it told anything, as a real one does. The results
/// of a chunk come with its end, which is later than in a real pool.
class pool_simulation {
 public:
  using scheduler = coterie::detail::scheduler;
  using job_id = coterie::detail::job_id;
  using chunk_id = coterie::detail::chunk_id;
  using job_limits = coterie::detail::job_limits;
  using nanoseconds = std::chrono::nanoseconds;

  static constexpr nanoseconds message = std::chrono::microseconds{10};
  static constexpr nanoseconds parent = std::chrono::microseconds{5};
  static constexpr nanoseconds silence = std::chrono::microseconds{100};

  /// What became of a job.
  struct outcome {
    nanoseconds called{};
    nanoseconds finished{};
    nanoseconds work{};                 // of all items
    nanoseconds longest_chunk{};        // as it was run
    std::vector<std::size_t> chunks;    // items in each
    std::vector<nanoseconds> arrivals;  // when the result of each item came

    [[nodiscard]] nanoseconds took() const { return finished - called; }
    /// Total work, divided by the workers and by the time.
    [[nodiscard]] double efficiency(int workers) const {
      return static_cast<double>(work.count()) / workers / static_cast<double>(took().count());
    }
  };

  explicit pool_simulation(int workers)
      : scheduler_{{.processes = workers}}, workers_(static_cast<std::size_t>(workers)) {
    while (scheduler_.next()) {
    }
    for (int rank = 0; rank < workers; ++rank) {
      scheduler_.started(rank, {});
      scheduler_.ready(rank);
    }
  }

  /// A job whose items take these times is called at `when`. A stream's results are read at once, in
  /// their order.
  job_id call(nanoseconds when, std::vector<nanoseconds> items, job_limits limits = {}) {
    const job_id id = ++last_job_;
    job& added = jobs_[id];
    added.limits = limits;
    added.result.called = when;
    added.result.arrivals.resize(items.size());
    added.ends.push_back({});
    for (const nanoseconds each : items) added.ends.push_back(added.ends.back() + each);
    added.result.work = added.ends.back();
    at(when, called{id});
    return id;
  }

  /// Lets everything happen.
  void run() {
    while (!events_.empty()) {
      const event next = events_.top();
      events_.pop();
      now_ = next.when;
      std::visit([this](const auto& what) { happen(what); }, next.what);
    }
  }

  [[nodiscard]] const outcome& result(job_id id) const { return jobs_.at(id).result; }
  /// How long the worker that was free first had nothing to do at the end.
  [[nodiscard]] nanoseconds idle_at_the_end() const {
    const auto [first, last] = std::ranges::minmax_element(workers_, {}, &worker::last_ended);
    return last->last_ended - first->last_ended;
  }

 private:
  struct called {
    job_id id;
  };
  struct chunk_arrives {
    std::size_t rank;
    chunk_id chunk;
  };
  struct chunk_ends {
    std::size_t rank;
  };
  struct tell {  // what has ended
    std::size_t rank;
  };
  struct news {
    std::size_t rank;
    std::size_t ended;  // chunks
  };
  struct event {
    nanoseconds when;
    std::uint64_t order;
    std::variant<called, chunk_arrives, chunk_ends, tell, news> what;
    bool operator<(const event& other) const {
      return std::tie(other.when, other.order) < std::tie(when, order);
    }
  };
  struct chunk {
    job_id job;
    std::size_t first;
    std::size_t count;
    nanoseconds busy;
  };
  struct worker {
    std::deque<chunk_id> held;   // the front is run
    std::deque<chunk_id> ended;  // and the parent does not know
    std::size_t untold = 0;      // of these; of the others news is on its way
    nanoseconds last_told{};
    nanoseconds last_ended{};
  };
  struct job {
    job_limits limits;
    outcome result;
    std::vector<nanoseconds> ends;  // of items, one after another
    std::size_t cut = 0;
    std::size_t read = 0;
  };

  template <class What>
  void at(nanoseconds when, What what) {
    events_.push({when, ++order_, std::move(what)});
  }

  void happen(const called& what) {
    scheduler_.add_job(what.id, jobs_.at(what.id).limits);
    settle();
  }

  void happen(const chunk_arrives& what) {
    worker& which = workers_[what.rank];
    which.held.push_back(what.chunk);
    if (which.held.size() == 1) begin(what.rank);
  }

  void begin(std::size_t rank) {
    at(now_ + chunks_.at(workers_[rank].held.front()).busy, chunk_ends{rank});
  }

  void happen(const chunk_ends& what) {
    worker& which = workers_[what.rank];
    which.ended.push_back(which.held.front());
    which.held.pop_front();
    ++which.untold;
    which.last_ended = now_;
    const bool goes_on = !which.held.empty();
    if (goes_on) begin(what.rank);
    at(goes_on ? std::max(now_, which.last_told + silence) : now_, tell{what.rank});
  }

  void happen(const tell& what) {
    worker& which = workers_[what.rank];
    if (which.untold == 0) return;  // it has told earlier, because it had nothing more to do
    which.last_told = now_;
    at(now_ + message, news{what.rank, std::exchange(which.untold, 0)});
  }

  void happen(const news& what) {
    const int rank = static_cast<int>(what.rank);
    auto& told = workers_[what.rank].ended;
    for (std::size_t count = what.ended; count > 0; --count) {
      const chunk_id id = told.front();
      told.pop_front();
      const chunk ended = chunks_.at(id);
      chunks_.erase(id);
      job& owner = jobs_.at(ended.job);
      for (std::size_t item = 0; item < ended.count; ++item) {
        owner.result.arrivals[ended.first + item] = now_;
      }
      require(scheduler_.items_done(rank, id, ended.count));
      require(scheduler_.chunk_done(rank, id, ended.busy));
      if (owner.limits.held_until_consumed) read(ended.job, owner);
    }
    settle();
  }

  void read(job_id id, job& from) {
    const std::size_t before = from.read;
    const auto& arrivals = from.result.arrivals;
    while (from.read < arrivals.size() && arrivals[from.read] > nanoseconds::zero()) ++from.read;
    scheduler_.consumed(id, from.read - before);
  }

  void settle() {
    while (const auto next = scheduler_.next()) {
      if (const auto* finish = std::get_if<coterie::detail::action::finish>(&*next)) {
        jobs_.at(finish->job).result.finished = now_;
      } else {
        send(std::get<coterie::detail::action::cut>(*next));
      }
    }
  }

  void send(const coterie::detail::action::cut& asked) {
    job& from = jobs_.at(asked.job);
    const std::size_t first = from.cut;
    const std::size_t count = std::min(asked.most, from.result.arrivals.size() - first);
    from.cut += count;
    if (count > 0) {
      const nanoseconds busy = from.ends[from.cut] - from.ends[first];
      chunks_[asked.chunk] = {asked.job, first, count, busy};
      from.result.chunks.push_back(count);
      from.result.longest_chunk = std::max(from.result.longest_chunk, busy);
      parent_free_ = std::max(parent_free_, now_) + parent;
      at(parent_free_ + message, chunk_arrives{static_cast<std::size_t>(asked.rank), asked.chunk});
    }
    scheduler_.cut_done(asked.chunk, count, from.cut == from.result.arrivals.size());
  }

  static void require(bool holds) {
    if (!holds) throw std::logic_error{"the scheduler does not believe a worker that is honest"};
  }

  scheduler scheduler_;
  std::vector<worker> workers_;
  std::map<job_id, job> jobs_;
  std::map<chunk_id, chunk> chunks_;
  std::priority_queue<event> events_;
  std::uint64_t order_ = 0;
  nanoseconds now_{};
  nanoseconds parent_free_{};
  job_id last_job_ = 0;
};
