// SPDX-License-Identifier: BSL-1.0

// What a hostile worker does to the memory that it shares with its parent.

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "channel/ring_pair.hpp"
#include "hostility.hpp"

namespace simulation {

namespace detail = coterie::detail;

namespace {

// As another thread would, in one piece.
template <class Word>
void put(Word& word, std::uint64_t value) {
  std::memcpy(&word, &value, sizeof word);
}

}  // namespace

hostile_act hostility::scribble() {
  switch (chance_.below(8)) {
    case 0:
      return over_ring_to_parent();
    case 1:
      return over_ring_to_worker();
    case 2:
      return over_bytes_of_ring();
    case 3:
      return over_segments();
    case 4:
    case 5:
      return over_claims();
    default:
      return over_open_results();
  }
}

hostile_act hostility::over_ring_to_parent() {
  auto& words = detail::ring_pair{memory_, capacity_}.to_parent.words();
  hostile_act did{.what = "writes over the words of its ring", .spoils = delays};
  if (chance_.once_in(2)) {
    put(words.reader_sleeps, chance_.once_in(2) ? 0 : odd_number(1));
  } else {
    put(words.head, odd_number(words.head));
    did.spoils = values | losses | delays | progress;
  }
  ring();
  return did;
}

hostile_act hostility::over_ring_to_worker() {
  auto& words = detail::ring_pair{memory_, capacity_}.to_worker.words();
  hostile_act did{.what = "writes over the words of its parent's ring", .spoils = delays};
  switch (chance_.below(3)) {
    case 0:
      put(words.reader_sleeps, odd_number(1));
      break;
    case 1:
      put(words.writer_waits, chance_.once_in(2) ? 0 : odd_number(1));
      break;
    default:
      // Then the parent writes over what was not read.
      put(words.tail, odd_number(words.tail));
      did.may_go_on = false;
  }
  ring();
  return did;
}

hostile_act hostility::over_bytes_of_ring() {
  const auto ring_bytes =
      memory_.subspan(detail::claims::memory_size + detail::byte_ring::memory_for(capacity_) +
                          sizeof(detail::byte_ring::control_words),
                      capacity_);
  const auto at = chance_.below(std::min<std::size_t>(capacity_, 4096));
  fill(ring_bytes.subspan(at, std::min<std::size_t>(capacity_ - at, chance_.between(1, 200))));
  ring();
  return {.what = "writes over the bytes of its ring",
          .spoils = values | losses | delays | progress};
}

hostile_act hostility::over_claims() {
  std::uint64_t& word = detail::ring_pair{memory_, capacity_}.claimed.word();
  const auto before = std::bit_cast<detail::claims::state>(word);
  auto now = before;
  hostile_act did{.what = "claims anything", .spoils = claims};
  switch (chance_.below(5)) {
    case 0:
      did.what = "claims less";
      now.items = static_cast<std::uint32_t>(chance_.below(std::size_t{now.items} + 1));
      break;
    case 1:
      did.what = "claims another number of items";
      now.items = static_cast<std::uint32_t>(odd_number(now.items));
      break;
    case 2:
      did.what = "claims another chunk";
      now.begun = static_cast<std::uint16_t>(odd_number(now.begun));
      // As it would be.
      if (chance_.once_in(2)) now.revoked = static_cast<std::uint16_t>(now.begun - 1);
      break;
    case 3:
      did.what = "claims what was revoked";
      now.begun = now.revoked;
      break;
    default:
      now = std::bit_cast<detail::claims::state>(chance_.next());
  }
  put(word, std::bit_cast<std::uint64_t>(now));
  ring();
  return did;
}

hostile_act hostility::over_open_results() {
  const auto results =
      memory_.subspan(detail::claims::memory_size + 2 * detail::byte_ring::memory_for(capacity_));
  hostile_act did{.what = "writes over its published results", .spoils = values | losses | delays};
  constexpr std::size_t words = 5;
  const std::size_t which = chance_.below(words + 1);
  if (which == words) {
    const auto space = results.subspan(64);
    fill(space.first(chance_.between(1, std::min<std::size_t>(space.size(), 500))));
  } else {
    std::uint64_t word = 0;
    auto* const at = results.data() + which * sizeof word;
    std::memcpy(&word, at, sizeof word);
    word = which == 0 && chance_.once_in(2) ? word + (chance_.below(4) << 32U) + chance_.below(64)
                                            : odd_number(word);
    std::memcpy(at, &word, sizeof word);
  }
  ring();
  return did;
}

hostile_act hostility::over_segments() {
  hostile_act did{.what = "writes over its segments", .spoils = values};
  for (const auto& each : segments_) {
    struct stat known{};
    if (::fstat(each.get(), &known) != 0 || known.st_size == 0) continue;
    const auto size = static_cast<std::size_t>(known.st_size);
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, each.get(), 0);
    if (memory == MAP_FAILED) continue;  // what its parent alone writes
    fill({static_cast<std::byte*>(memory), std::min<std::size_t>(size, 1000)});
    ::munmap(memory, size);
  }
  return did;
}

}  // namespace simulation
