// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <queue>
#include <span>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "schedule/scheduler.hpp"
#include "timing/timing.hpp"

/// A pool whose time is made up: the real scheduler decides, workers and messages are events in a
/// queue.
///
/// What costs time, apart from the items: a message is under way for `message`, and the parent
/// works for `parent` on each chunk that it sends, one after another. So a worker that has nothing
/// more to do waits for 2 * message + parent between two chunks. A worker tells of what it has
/// ended when it begins the last chunk that it holds, when it has nothing more, and when `silence`
/// has passed since it told anything, as a real one does. It claims items for `stride` at a time.
/// The results of a chunk come with its end, which is later than in a real pool.
class pool_simulation {
 public:
  using scheduler = coterie::detail::scheduler;
  using job_id = coterie::detail::job_id;
  using chunk_id = coterie::detail::chunk_id;
  using job_limits = coterie::detail::job_limits;
  using nanoseconds = std::chrono::nanoseconds;

  static constexpr nanoseconds message = std::chrono::microseconds{10};
  static constexpr nanoseconds parent = std::chrono::microseconds{5};
  static constexpr nanoseconds silence = coterie::detail::timing::longest_silence;
  static constexpr nanoseconds stride = coterie::detail::timing::stride;

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

  explicit pool_simulation(int workers, bool revocable = true)
      : scheduler_{{.processes = workers}}, workers_(static_cast<std::size_t>(workers)) {
    for (worker& each : workers_) {
      each.id = std::get<coterie::detail::action::spawn>(*scheduler_.next()).worker;
    }
    for (const worker& each : workers_) {
      scheduler_.started(each.id, {});
      scheduler_.ready(each.id, revocable);
    }
  }

  /// A job whose items take these times is called at `when`. A stream's results are read at once,
  /// in their order.
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
    std::uint64_t message;
  };
  struct chunk_ends {
    std::size_t rank;
    std::uint64_t run;
  };
  struct tell {  // what has ended
    std::size_t rank;
  };
  struct news {
    std::size_t rank;
    std::size_t ended;  // chunks
  };
  struct deadline {};
  struct event {
    nanoseconds when;
    std::uint64_t order;
    std::variant<called, chunk_arrives, chunk_ends, tell, news, deadline> what;
    bool operator<(const event& other) const {
      return std::tie(other.when, other.order) < std::tie(when, order);
    }
  };
  struct chunk {
    job_id job;
    std::size_t first;  // of the job's items
    std::size_t begin;  // the first of the chunk's items that is to be run
    std::size_t end;
  };
  struct sent_chunk {
    chunk_id chunk;
    std::uint64_t message;
    bool arrived = false;
  };
  struct worker {
    coterie::detail::worker_id id = 0;
    std::deque<sent_chunk> sent;  // the front is run
    std::uint64_t run = 0;        // of the end that is to come; 0: nothing is run
    nanoseconds begun_at{};
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
    const auto found = std::ranges::find(which.sent, what.message, &sent_chunk::message);
    if (found == which.sent.end()) return;  // it was revoked
    found->arrived = true;
    if (which.run == 0) begin(what.rank);
  }

  void begin(std::size_t rank) {
    worker& which = workers_[rank];
    which.begun_at = now_;
    end_later(rank);
    if (which.sent.size() == 1 || !which.sent[1].arrived) at(now_, tell{rank});
  }

  void end_later(std::size_t rank) {
    worker& which = workers_[rank];
    which.run = ++runs_;
    at(which.begun_at + busy(chunks_.at(which.sent.front().chunk)), chunk_ends{rank, which.run});
  }

  [[nodiscard]] nanoseconds busy(const chunk& of) const {
    const auto& ends = jobs_.at(of.job).ends;
    return ends[of.first + of.end] - ends[of.first + of.begin];
  }

  void happen(const chunk_ends& what) {
    worker& which = workers_[what.rank];
    if (which.run != what.run) return;  // a part of it was revoked
    which.run = 0;
    which.ended.push_back(which.sent.front().chunk);
    which.sent.pop_front();
    ++which.untold;
    which.last_ended = now_;
    const bool goes_on = !which.sent.empty() && which.sent.front().arrived;
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
    const auto from = workers_[what.rank].id;
    auto& told = workers_[what.rank].ended;
    for (std::size_t left = what.ended; left > 0; --left) {
      const chunk_id id = told.front();
      told.pop_front();
      const chunk ended = chunks_.at(id);
      job& owner = jobs_.at(ended.job);
      for (std::size_t item = ended.begin; item < ended.end; ++item) {
        require(owner.result.arrivals[ended.first + item] == nanoseconds::zero());
        owner.result.arrivals[ended.first + item] = now_;
      }
      const std::size_t count = ended.end - ended.begin;
      require(count == 0 || scheduler_.items_done(from, id, count));
      require(scheduler_.chunk_done(from, id, busy(ended)));
      chunks_.erase(id);
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
      std::visit([this](const auto& what) { perform(what); }, *next);
    }
    scheduler_.rest(scheduler::time_point{now_});
    if (const auto next = scheduler_.next_deadline()) {
      at(std::max(now_, next->time_since_epoch()), deadline{});
    }
  }

  void happen(const deadline&) {
    scheduler_.tick(scheduler::time_point{now_});
    if (const auto next = scheduler_.next()) {
      std::visit([this](const auto& what) { perform(what); }, *next);
      settle();
    }
  }

  template <class Action>
  void perform(const Action&) {
    throw std::logic_error{"nothing starts, crashes or leaves here"};
  }

  void perform(const coterie::detail::action::finish& what) {
    jobs_.at(what.job).result.finished = now_;
  }

  void perform(const coterie::detail::action::cut& asked) {
    job& from = jobs_.at(asked.job);
    const std::size_t first = from.cut;
    const std::size_t count = std::min(asked.max, from.result.arrivals.size() - first);
    from.cut += count;
    if (count > 0) {
      const chunk& made = chunks_[asked.chunk] = {asked.job, first, 0, count};
      from.result.chunks.push_back(count);
      from.result.longest_chunk = std::max(from.result.longest_chunk, busy(made));
      send(asked.worker, asked.chunk);
    }
    scheduler_.cut_done(asked.chunk, count, from.cut == from.result.arrivals.size());
  }

  void perform(const coterie::detail::action::resend& what) {
    const auto& sent = scheduler_.chunks().at(what.chunk);
    chunks_[what.chunk] = {sent.job, sent.first, sent.begin, sent.end};
    send(what.worker, what.chunk);
  }

  [[nodiscard]] std::size_t rank_of(coterie::detail::worker_id id) const {
    return static_cast<std::size_t>(std::ranges::find(workers_, id, &worker::id) -
                                    workers_.begin());
  }

  void send(coterie::detail::worker_id id, chunk_id which) {
    parent_free_ = std::max(parent_free_, now_) + parent;
    const std::size_t to = rank_of(id);
    workers_[to].sent.push_back({which, ++messages_});
    at(parent_free_ + message, chunk_arrives{to, messages_});
  }

  void perform(const coterie::detail::action::revoke& what) {
    const std::size_t rank = rank_of(what.victim);
    worker& which = workers_[rank];
    const bool runs = which.run != 0;
    const chunk_id begun = runs                  ? which.sent.front().chunk
                           : which.ended.empty() ? 0
                                                 : which.ended.back();
    const std::size_t kept =
        runs ? claimed(which, what.unit) : (begun != 0 ? chunks_.at(begun).end : std::size_t{0});
    std::size_t back = runs ? chunks_.at(begun).end - kept : 0;
    const auto behind = which.sent.begin() + (runs ? 1 : 0);
    std::for_each(behind, which.sent.end(), [&](const sent_chunk& each) {
      back += chunks_.at(each.chunk).end - chunks_.at(each.chunk).begin;
    });
    if (begun == 0 && what.spares_next) back -= std::min(back, what.unit);
    if (back < what.min) return;
    which.sent.erase(behind, which.sent.end());
    if (runs && kept < chunks_.at(begun).end) {
      chunks_.at(begun).end = kept;
      end_later(rank);
    }
    scheduler_.revoked(what.victim, begun, kept);
  }

  /// How many items of the chunk that it runs the worker has claimed by now.
  [[nodiscard]] std::size_t claimed(const worker& which, std::size_t unit) const {
    const chunk& run = chunks_.at(which.sent.front().chunk);
    const auto ends = std::span{jobs_.at(run.job).ends}.subspan(run.first);
    const nanoseconds until = ends[run.begin] + (now_ - which.begun_at);
    std::size_t item = run.begin;
    do {
      const auto next = std::ranges::lower_bound(ends.subspan(item + 1), ends[item] + stride);
      item = static_cast<std::size_t>(next - ends.begin());
    } while (item < run.end && ends[item] <= until);
    return std::min((item + unit - 1) / unit * unit, run.end);
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
  std::uint64_t messages_ = 0;
  std::uint64_t runs_ = 0;
  nanoseconds now_{};
  nanoseconds parent_free_{};
  job_id last_job_ = 0;
};
