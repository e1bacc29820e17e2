// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <variant>

#include <catch2/catch.hpp>

#include "schedule/scheduler.hpp"

/// A scheduler, and a caller that carries out what it wants, one action at a time. Workers are
/// named by their ranks: here a rank is one worker, the one that was asked for last.
class scheduler_desk {
 public:
  using scheduler = coterie::detail::scheduler;
  using job_id = coterie::detail::job_id;
  using chunk_id = coterie::detail::chunk_id;
  using worker_id = coterie::detail::worker_id;
  using job_limits = coterie::detail::job_limits;
  using nanoseconds = std::chrono::nanoseconds;

  explicit scheduler_desk(int processes, nanoseconds start_timeout = {}, bool revocable = false)
      : it{{.processes = processes, .start_timeout = start_timeout}}, revocable_{revocable} {}

  /// The next thing to do, if any.
  std::optional<coterie::detail::scheduler_action> next() {
    auto found = it.next();
    if (!found) return found;
    if (const auto* const spawn = std::get_if<coterie::detail::action::spawn>(&*found)) {
      ids_[spawn->rank] = spawn->worker;
      ranks_[spawn->worker] = spawn->rank;
    }
    return found;
  }
  /// The next action, which must be of this kind.
  template <class Action>
  Action take() {
    const auto found = next();
    REQUIRE(found.has_value());
    REQUIRE(std::holds_alternative<Action>(*found));
    return std::get<Action>(*found);
  }
  void nothing() { REQUIRE_FALSE(next().has_value()); }

  /// 0: no worker was ever asked for.
  [[nodiscard]] worker_id id_of(int rank) const {
    const auto found = ids_.find(rank);
    return found == ids_.end() ? 0 : found->second;
  }
  /// The worker that an action is about.
  template <class Action>
  [[nodiscard]] int rank_of(const Action& what) const {
    return ranks_.at(what.worker);
  }
  [[nodiscard]] int rank_of(const coterie::detail::action::revoke& what) const {
    return ranks_.at(what.victim);
  }

  void started(int rank, scheduler::time_point when) { it.started(id_of(rank), when); }
  void ready(int rank, bool revocable = false) { it.ready(id_of(rank), revocable); }
  coterie::detail::departure exited(int rank, scheduler::time_point when,
                                    coterie::detail::worker_exit how = {}) {
    return it.exited(id_of(rank), when, how);
  }
  [[nodiscard]] bool items_done(int rank, chunk_id chunk, std::size_t count) {
    return it.items_done(id_of(rank), chunk, count);
  }
  [[nodiscard]] bool chunk_done(int rank, chunk_id chunk, nanoseconds busy) {
    return it.chunk_done(id_of(rank), chunk, busy);
  }
  void revoked(int rank, chunk_id begun, std::size_t kept) { it.revoked(id_of(rank), begun, kept); }
  void condemn(int rank) { it.condemn(id_of(rank)); }
  /// Whether the process that was asked for is still to be started.
  [[nodiscard]] bool wants(int rank) const {
    const auto* const found = it.find(id_of(rank));
    return found != nullptr && found->is(coterie::detail::worker_stage::planned);
  }
  /// What its holder was given, or what waits.
  [[nodiscard]] coterie::detail::item_range items_of(chunk_id id) const {
    const auto& chunk = it.chunks().at(id);
    return {.job = chunk.job, .first = chunk.first + chunk.begin, .count = chunk.end - chunk.begin};
  }
  [[nodiscard]] std::optional<chunk_id> current_chunk(int rank) const {
    const auto& held = it.chunks().held_by(id_of(rank)).chunks;
    return held.empty() ? std::nullopt : std::optional{held.front()};
  }

  /// Carries out every `spawn` that is wanted now; all workers that start become ready.
  void start_all() {
    while (const auto found = next()) {
      REQUIRE(std::holds_alternative<coterie::detail::action::spawn>(*found));
      it.started(std::get<coterie::detail::action::spawn>(*found).worker, now);
    }
    for (const auto& [rank, id] : ids_) it.ready(id, revocable_);
  }

  void add(job_id job, std::size_t chunksize = 1, std::size_t window = 0, bool held = false) {
    it.add_job(job, {.chunksize = chunksize, .window = window, .held_until_consumed = held});
  }

  /// Answers the next action, which must be a `cut`, with `count` items, or as many as are asked
  /// for.
  coterie::detail::action::cut cut(std::optional<std::size_t> count = {}, bool exhausted = false) {
    const auto asked = take<coterie::detail::action::cut>();
    it.cut_done(asked.chunk, count.value_or(asked.max), exhausted);
    return asked;
  }

  /// The worker finishes all `count` items of a chunk, and the chunk.
  void run(int rank, chunk_id chunk, std::size_t count = 1,
           nanoseconds busy = std::chrono::seconds{1}) {
    REQUIRE(items_done(rank, chunk, count));
    REQUIRE(chunk_done(rank, chunk, busy));
  }

  /// Worker 0 runs that many chunks of one item, one after the other.
  void run_alone(std::size_t chunks, nanoseconds busy) {
    for (; chunks > 0; --chunks) run(0, cut(1).chunk, 1, busy);
  }

  scheduler it;
  scheduler::time_point now{};

 private:
  bool revocable_;
  std::map<int, worker_id> ids_;
  std::map<worker_id, int> ranks_;
};
