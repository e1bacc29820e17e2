// SPDX-License-Identifier: BSL-1.0
#include "evidence.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "channel/begun_counter.hpp"
#include "channel/claims.hpp"

namespace simulation {

namespace detail = coterie::detail;
namespace message = coterie::detail::message;
using detail::message_kind;

detail::job_id evidence::job() const { return held_.empty() ? 0 : held_.front().job; }

void evidence::sent(const message::run& what) {
  held_.push_back({.job = what.job,
                   .id = what.chunk,
                   .number = ++sent_,
                   .first = static_cast<std::size_t>(what.first),
                   .begin = what.begin,
                   .end = what.end,
                   .done = what.begin});
}

// ---- what comes -------------------------------------------------------------------------------

// Only the next items of the chunk in front have results.
item_range evidence::results(detail::job_id job, detail::chunk_id id, std::size_t at,
                             std::size_t count) {
  if (held_.empty()) {
    refuse();
    return {};
  }
  chunk& front = held_.front();
  const bool next = front.id == id && front.job == job && front.done == at;
  if (!next || count == 0 || count > front.end - front.done) {
    refuse();
    return {};
  }
  front.done += count;
  return {.job = job, .first = front.first + at, .count = count};
}

void evidence::over(detail::chunk_id id) {
  ++ended_;
  over_ = id;
}

void evidence::conclude(bool unwanted) {
  if (!over_) return;
  const bool front = !held_.empty() && held_.front().id == *std::exchange(over_, {});
  if (front && (unwanted || held_.front().done == held_.front().end)) {
    held_.erase(held_.begin());
  } else {
    refuse();
  }
}

item_range evidence::told(const detail::frame_header& what) {
  switch (what.kind) {
    case message_kind::values: {
      const auto said = what.as<message::values>();
      if (said.claimed > 0) {
        told_ = {.chunk = ended_ + 1, .items = std::size_t{said.first} + said.count + said.claimed};
      }
      if (said.busy > 0) over(said.chunk);
      // All of the last results may have been seen before they were sent.
      if (said.count == 0 && said.busy > 0) return {};
      return results(said.job, said.chunk, said.first, said.count);
    }
    case message_kind::failure: {
      const auto said = what.as<message::failure>();
      return results(said.job, said.chunk, said.item, 1);
    }
    case message_kind::done:
      over(what.as<message::done>().chunk);
      return {};
    default:
      // While a worker has something to do it says nothing else.
      if (!held_.empty()) refuse();
      return {};
  }
}

std::vector<item_range> evidence::revoked(const detail::claimed_items& seen, std::size_t unit) {
  std::vector<item_range> back;
  revoked_ = sent_;
  std::vector<chunk> kept;
  for (chunk& each : held_) {
    std::size_t end = each.number < seen.chunk ? each.end : 0;
    if (each.number == seen.chunk) {
      // A unit that has begun is not torn apart.
      end = seen.items == detail::claimed_items::all
                ? each.end
                : std::clamp((seen.items + unit - 1) / unit * unit, each.done, each.end);
    }
    if (end < each.end) back.push_back(each.from(std::max(end, each.done)));
    if (each.number > seen.chunk) continue;
    each.end = end;
    kept.push_back(each);
  }
  held_ = std::move(kept);
  return back;
}

// ---- the end ----------------------------------------------------------------------------------

// Empty: this side and a worker that keeps the rules cannot have written that.
std::optional<detail::claimed_items> evidence::in_word(std::uint64_t claims) const {
  const auto word = std::bit_cast<detail::claims::state>(claims);
  const std::uint64_t begun = word.begun;  // so few chunks are sent that no number comes twice
  if (begun > sent_) return std::nullopt;
  if (word.revoked != (begun > revoked_ ? begun - 1 : revoked_)) return std::nullopt;
  const bool all = word.items == detail::claims::state::most_items;
  return detail::claimed_items{.chunk = begun,
                               .items = all ? detail::claimed_items::all : word.items};
}

detail::claimed_items evidence::in_counter(std::uint64_t claims) const {
  const auto counted = detail::begun_items::unpacked(claims);
  detail::claimed_items now{.chunk = counted.chunk, .items = counted.items};
  if (told_.chunk > now.chunk) now = told_;
  if (told_.chunk == now.chunk) now.items = std::max(now.items, told_.items);
  if (now.items >= detail::begun_items::most_items) now.items = detail::claimed_items::all;
  return now;
}

// Of the chunk in front, how many items before which index are claimed; empty: no worker that keeps
// the rules claims what is said.
std::optional<std::size_t> evidence::claimed_in_front(std::uint64_t claims) const {
  const auto said = in_memory_ ? in_word(claims) : in_counter(claims);
  if (!said || said->chunk > sent_) return std::nullopt;
  const chunk& front = held_.front();
  if (said->chunk < front.number) {
    if (front.done > front.begin) return std::nullopt;  // it has results, and was not begun
    return front.begin;
  }
  // A worker begins no chunk before it has told the end of the last one, and none that was revoked.
  if (said->chunk != front.number) return std::nullopt;
  const std::size_t items = said->items == detail::claimed_items::all ? front.end : said->items;
  if (items < front.done || items > front.end) return std::nullopt;
  return items;
}

verdict evidence::ended(std::uint64_t claims) const {
  verdict found;
  if (held_.empty()) return found;
  const auto claimed = refused_ ? std::nullopt : claimed_in_front(claims);
  if (!claimed) {
    found.is_honest = false;
    for (const chunk& each : held_) {
      if (each.done < each.end) found.lost.push_back(each.from(each.done));
    }
    return found;
  }
  const chunk& front = held_.front();
  std::size_t doubtful = *claimed - front.done;
  // In memory each result is in sight before the next item begins.
  if (in_memory_) doubtful = std::min<std::size_t>(doubtful, 1);
  found.begun = doubtful > 0 || front.done > front.begin;
  if (doubtful > 0) {
    found.lost.push_back({.job = front.job, .first = front.first + front.done, .count = doubtful});
  }
  found.free.push_back(front.from(front.done + doubtful));
  for (auto each = held_.begin() + 1; each != held_.end(); ++each) {
    found.free.push_back(each->from(each->done));
  }
  return found;
}

}  // namespace simulation
