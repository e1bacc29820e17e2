// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "messages/identifiers.hpp"

namespace coterie::detail {

/// Items of a call, by their places in its input.
struct item_range {
  job_id job = 0;
  std::size_t first = 0;
  std::size_t count = 0;

  bool operator==(const item_range&) const = default;
};

/// What the scheduler wants done, in the order it wants it.
namespace action {

struct spawn {  // start a process, then say `started` or `start_failed`
  worker_id worker;
  int rank;
  std::uint64_t incarnation;  // processes that had the rank before
};
struct cut {  // take up to `max` items as `chunk`, say `cut_done`, and send them to the worker
  worker_id worker;
  job_id job;
  chunk_id chunk;
  std::size_t min;  // so many are taken, however large they are
  std::size_t max;
};
struct resend {  // send a chunk that was cut before; the worker goes on where it was left
  worker_id worker;
  chunk_id chunk;
};
struct revoke {  // have the victim stop where it is, and say `revoked` if so many items come back
  worker_id victim;
  std::size_t min;
  std::size_t unit;    // so many are one worker's as a whole
  bool spares_next;    // the unit that is about to be begun stays
  bool only_if_cheap;  // to be given to a thief
};
struct crash {  // these items died with the worker
  worker_id worker;
  item_range items;
};
struct finish {  // every item of `job` is accounted for
  job_id job;
};
struct give_up {  // no worker can be started: all jobs fail
  struct job {
    job_id id;
    std::size_t cut;                     // items taken from its input
    std::vector<item_range> unfinished;  // of these
  };
  std::vector<job> jobs;
};
struct kill {  // end the process at once
  worker_id worker;
};
struct stop {  // ask the worker to finish what it holds and leave
  worker_id worker;
};
struct all_gone {};  // closed, and the last worker has left

}  // namespace action

using scheduler_action =
    std::variant<action::spawn, action::cut, action::resend, action::revoke, action::crash,
                 action::finish, action::give_up, action::kill, action::stop, action::all_gone>;

}  // namespace coterie::detail
