// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "messages/identifiers.hpp"
#include "schedule/actions.hpp"
#include "schedule/spare_nodes.hpp"

namespace coterie::detail {

class byte_buffer;

/// The one table of chunks: which items each has, how far it is, and which worker holds it.
///
/// A chunk is what one message brings. It is cut from the input of a job for one worker. Items that
/// the worker does not begin come back and go to another one, as the same chunk or as a part of it.
///
/// Pure, like the scheduler, which is the only one that changes it. `items` is never looked into.
class ledger {
 public:
  /// As many workers in a row may end before they have begun a chunk; then its next item counts as
  /// begun. A chunk whose arrival alone ends every worker would otherwise be sent for ever.
  static constexpr std::size_t max_losses = 16;

  struct chunk {
    job_id job = 0;
    worker_id holder = 0;                 // 0: it waits to be given to a worker
    std::uint64_t number = 0;             // among those that its holder was sent; 0: not sent yet
    std::size_t first = 0;                // its place in the input; indices below count from here
    std::size_t begin = 0;                // of the first item that its holder was given
    std::size_t end = 0;                  // behind the last; 0: it is being cut
    std::size_t done = 0;                 // items before this index are finished, or lost
    std::size_t claimed = 0;              // its holder was known to have claimed those before it
    bool shortened = false;               // since its holder was given it
    std::size_t losses = 0;               // workers in a row that ended before they had begun it
    std::chrono::nanoseconds expected{};  // to take, as far as that is known
    std::shared_ptr<const byte_buffer> items{};  // encoded, from index 0 on

    [[nodiscard]] std::size_t left() const noexcept { return end - done; }
    [[nodiscard]] std::size_t next_item() const noexcept { return first + done; }
  };

  /// What a worker holds: chunks of one job at a time. It runs the one in front.
  struct holding {
    std::deque<chunk_id> chunks;
    job_id job = 0;
    std::uint64_t sent = 0;  // chunks, those included that it holds no more
    std::chrono::nanoseconds expected{};
  };

  /// What was lost with a worker, and what waits to be given to another one.
  struct losses {
    std::vector<item_range> lost;
    std::deque<chunk_id> back;
  };

  [[nodiscard]] const chunk* find(chunk_id id) const;
  [[nodiscard]] const chunk& at(chunk_id id) const { return chunks_.at(id); }
  /// Of a worker that was never given anything: nothing.
  [[nodiscard]] const holding& held_by(worker_id worker) const;
  /// The chunk that the worker runs, or is about to; null: none.
  [[nodiscard]] const chunk* current(worker_id worker) const;
  /// Whether a worker that holds this may have results of which it does not tell at once: those of
  /// a chunk of several items, or of one behind which there is more to do than one chunk.
  [[nodiscard]] bool may_be_silent(const holding& held) const;

  /// A new chunk, which is being cut for `holder`; `first` is its place in the input.
  chunk_id open(job_id job, worker_id holder, std::size_t first);
  /// It has so many items, more than none.
  void fill(chunk_id id, std::size_t count, std::chrono::nanoseconds expected,
            std::shared_ptr<const byte_buffer> items);
  /// A chunk that waited goes to a worker.
  void give(chunk_id id, worker_id holder);
  /// It is sent to its holder now, behind all that was sent there before.
  const chunk& sent(chunk_id id);
  /// Cuts a chunk in two; the second part waits to be given to a worker. Precondition: both have
  /// items.
  chunk_id split(chunk_id id, std::size_t at);

  /// `count` more items of the chunk in front of the worker are finished. False: that cannot be.
  [[nodiscard]] bool items_done(worker_id worker, chunk_id id, std::size_t count);
  /// Whether this is the chunk in front of the worker.
  [[nodiscard]] bool is_current(worker_id worker, chunk_id id) const;
  /// The holder lets go of a chunk that is over, or that no items were cut for.
  void close(chunk_id id);
  /// The worker keeps the chunk `begun` up to the index `kept`, and what it was given before that;
  /// without `begun`, nothing. Returns what waits to be given to another one.
  std::deque<chunk_id> revoke(worker_id worker, chunk_id begun, std::size_t kept);
  /// The worker has ended. Of the chunk in front `begun` items may have begun that are not known to
  /// be finished; or, with `everything`, all that it held may have begun.
  losses lose(worker_id worker, std::size_t begun, bool everything);
  /// The worker will not be given anything any more. Precondition: it holds nothing.
  void forget_worker(worker_id worker) { holdings_.erase(worker); }
  /// A chunk that waits is not wanted any more.
  void forget(chunk_id id) { erase(chunks_.find(id)); }

 private:
  using table = std::unordered_map<chunk_id, chunk>;

  std::size_t lose_items(chunk& of, std::size_t begun);
  chunk_id add(chunk made);
  void erase(table::const_iterator gone);

  table chunks_;
  spare_nodes<table> spare_;
  std::unordered_map<worker_id, holding> holdings_;
  chunk_id last_ = 0;
};

}  // namespace coterie::detail
