// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "messages/identifiers.hpp"
#include "schedule/chunk_sizer.hpp"
#include "schedule/spare_nodes.hpp"

namespace coterie::detail {

struct job_limits {
  std::size_t chunksize = 0;  // items; 0: automatic
  std::size_t window = 0;     // items taken from the input and not yet released; 0: automatic
  bool held_until_consumed = false;  // released by `consumed`, not by being finished
};

/// The place of a job among those that have something to give: the one with the fewest chunks under
/// way comes first, among equals the one that was served longest ago.
struct place_in_turn {
  std::size_t held;
  std::uint64_t turn;
  job_id job;
  auto operator<=>(const place_in_turn&) const = default;
};

/// What the scheduler knows of a job. Its chunks are in the `ledger`.
struct job_state {
  job_state(job_limits given, int workers) : limits{given}, sizer{given.chunksize, workers} {}

  job_limits limits;
  chunk_sizer sizer;
  std::size_t cut = 0;         // items taken from the input
  std::size_t taken = 0;       // items cut and not yet released
  std::size_t held = 0;        // chunks that workers hold
  std::size_t unfinished = 0;  // items cut and not finished
  std::size_t measured = 0;    // chunks whose time is known
  bool exhausted = false;
  bool cutting = false;                  // a cut action is out and not answered
  std::optional<place_in_turn> place{};  // where it is among those that have something to give
  std::uint64_t turn = 0;
  // Chunks that were revoked, or left behind by a worker that ended; in the order of the input.
  std::vector<chunk_id> unsent{};

  [[nodiscard]] bool is_over() const noexcept { return exhausted && unfinished == 0 && !cutting; }
};

/// The jobs of a pool, and whose turn it is.
class job_table {
 public:
  static constexpr std::size_t min_window = 256;
  static constexpr std::size_t max_window_each = 4096;  // for each worker

  /// `max_held` is how many chunks a worker may hold.
  job_table(int workers, std::size_t max_held)
      : workers_{workers}, shares_{max_held * static_cast<std::size_t>(workers)} {}

  [[nodiscard]] bool empty() const noexcept { return jobs_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return jobs_.size(); }
  [[nodiscard]] bool contains(job_id id) const { return jobs_.contains(id); }
  /// Null: there is none, or none any more.
  [[nodiscard]] job_state* find(job_id id);
  [[nodiscard]] const job_state* find(job_id id) const;
  [[nodiscard]] job_state& at(job_id id) { return jobs_.at(id); }
  [[nodiscard]] const std::unordered_map<job_id, job_state>& all() const noexcept { return jobs_; }

  /// Null: there was one of that name.
  job_state* add(job_id id, job_limits limits);
  void erase(job_id id);
  void clear();

  /// To be called when something has changed that decides whose turn it is.
  void refresh(job_id id, job_state& job);
  /// The job is being served.
  void serve(job_state& job) { job.turn = turns_ += 2; }  // leaves one between, for a new one

  [[nodiscard]] bool can_give(const job_state& job) const;
  /// Whether no job has something to give.
  [[nodiscard]] bool none_waits() const noexcept { return turns_of_.empty(); }
  /// Precondition: some job has something to give.
  [[nodiscard]] const place_in_turn& first() const { return *turns_of_.begin(); }
  /// Whether more than `count` jobs wait that have as few chunks under way as the first.
  [[nodiscard]] bool more_wait_than(std::size_t count) const;

  /// How many items the next chunk may have.
  [[nodiscard]] std::size_t next_size(const job_state& job) const;

 private:
  void move_to(std::optional<place_in_turn> place, job_state& job);
  [[nodiscard]] std::size_t window_of(const job_state& job) const;

  int workers_;
  std::size_t shares_;  // into which a narrow window is cut
  std::unordered_map<job_id, job_state> jobs_;
  std::set<place_in_turn> turns_of_;
  spare_nodes<std::set<place_in_turn>> spare_turns_;
  std::uint64_t turns_ = 2;
};

}  // namespace coterie::detail
