// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include <catch2/catch.hpp>

#include "schedule/scheduler.hpp"

/// A scheduler, and whoever carries out what it wants, one action at a time.
class scheduler_desk {
 public:
  using scheduler = coterie::detail::scheduler;
  using job_id = coterie::detail::job_id;
  using chunk_id = coterie::detail::chunk_id;
  using job_limits = coterie::detail::job_limits;

  explicit scheduler_desk(int processes, std::chrono::nanoseconds start_timeout = {},
                          bool takes_back = false)
      : it{{.processes = processes, .start_timeout = start_timeout}}, takes_back_{takes_back} {}

  /// The next action, which must be of this kind.
  template <class Action>
  Action take() {
    const auto next = it.next();
    REQUIRE(next.has_value());
    REQUIRE(std::holds_alternative<Action>(*next));
    return std::get<Action>(*next);
  }
  void nothing() { REQUIRE_FALSE(it.next().has_value()); }

  /// Carries out every `spawn` that is wanted now; the workers become ready.
  void start_all() {
    while (const auto next = it.next()) {
      REQUIRE(std::holds_alternative<coterie::detail::action::spawn>(*next));
      it.started(std::get<coterie::detail::action::spawn>(*next).rank, now);
    }
    for (int rank = 0; rank < 64 && !it.gone(); ++rank) {
      try {
        it.ready(rank, takes_back_);
      } catch (const std::out_of_range&) {
        break;
      }
    }
  }

  void add(job_id job, std::size_t chunksize = 1, std::size_t window = 0, bool held = false) {
    it.add_job(job, {.chunksize = chunksize, .window = window, .held_until_consumed = held});
  }

  /// Answers the next action, which must be a `cut`, with `count` items, or as many as are asked for.
  coterie::detail::action::cut cut(std::optional<std::size_t> count = {}, bool exhausted = false) {
    const auto asked = take<coterie::detail::action::cut>();
    it.cut_done(asked.chunk, count.value_or(asked.most), exhausted);
    return asked;
  }

  /// The worker finishes all `count` items of a chunk, and the chunk.
  void run(int rank, chunk_id chunk, std::size_t count = 1,
           std::chrono::nanoseconds busy = std::chrono::seconds{1}) {
    REQUIRE(it.items_done(rank, chunk, count));
    REQUIRE(it.chunk_done(rank, chunk, busy));
  }

  /// Worker 0 runs that many chunks of one item, one after the other.
  void run_alone(std::size_t chunks, std::chrono::nanoseconds busy) {
    for (; chunks > 0; --chunks) run(0, cut(1).chunk, 1, busy);
  }

  scheduler it;
  scheduler::time_point now{};

 private:
  bool takes_back_;
};
