// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <compare>
#include <cstddef>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

// The sleep protocol of byte_ring.cpp, step by step, on a ring of two bytes: every order in which
// the steps of both sides can come is tried. A step is one access to a shared word. What a side
// publishes by a plain store stays with it for any time (as in the store buffer of a processor) and
// becomes visible at the latest with its next read-modify-write.
//
// The model also knows protocols that are wrong in one thing each. It must find out all of them;
// otherwise its silence about the right one would mean nothing.
namespace {

constexpr int capacity = 2;
constexpr int total = 5;  // bytes to send

enum class protocol {
  right,
  reader_does_not_look_again,
  reader_announces_after_looking,
  writer_does_not_look_again,
  question_to_reader_is_a_load_first,
  question_to_writer_is_a_load,
  wish_is_forgotten_when_not_granted,
  writer_never_asks,
  reader_never_asks,
};

enum class writer_at { write, ask, announce, look, revoke, asleep, done };
enum class reader_at { read, ask, wake, announce, look, revoke, asleep };

struct state {
  // Shared.
  int head = 0;
  int tail = 0;
  int reader_sleeps = 0;
  int writer_waits = 0;
  bool reader_rung = false;
  bool writer_rung = false;
  // The writer's own.
  writer_at writer = writer_at::write;
  int own_head = 0;
  int wish = 1;
  // The reader's own.
  reader_at reader = reader_at::read;
  int own_tail = 0;

  auto operator<=>(const state&) const = default;
};

class model {
 public:
  explicit model(protocol which) : which_{which} {}

  /// Whether both can end up waiting before all bytes have come.
  bool can_get_stuck() {
    std::vector<state> open{state{}};
    while (!open.empty()) {
      const state from = open.back();
      open.pop_back();
      if (!known_.insert(from).second) continue;
      next_.clear();
      writer_step(from);
      reader_step(from);
      stores_become_visible(from);
      if (next_.empty() && from.own_tail != total) return true;
      open.insert(open.end(), next_.begin(), next_.end());
    }
    return false;
  }

  [[nodiscard]] std::size_t states() const { return known_.size(); }

 private:
  void add(state to, writer_at at) {
    to.writer = at;
    next_.push_back(to);
  }
  void add(state to, reader_at at) {
    to.reader = at;
    next_.push_back(to);
  }

  void stores_become_visible(state from) {
    if (from.head == from.own_head && from.tail == from.own_tail) return;
    state one = from;
    one.head = one.own_head;
    state other = from;
    other.tail = other.own_tail;
    for (const state& each : {one, other}) {
      if (each != from) next_.push_back(each);
    }
  }

  void writer_step(state now) {
    const int room = capacity - (now.own_head - now.tail);
    switch (now.writer) {
      case writer_at::write: {
        const int most = std::min(room, total - now.own_head);
        for (int count = 1; count <= most; ++count) {
          state to = now;
          to.own_head += count;
          add(to, writer_at::ask);
        }
        // With something left it may also want more room than there is.
        for (int wish = room + 1; wish <= capacity; ++wish) {
          state to = now;
          to.wish = wish;
          add(to, writer_at::announce);
        }
        break;
      }
      case writer_at::ask: {
        const bool skip =
            which_ == protocol::writer_never_asks ||
            (which_ == protocol::question_to_reader_is_a_load_first && now.reader_sleeps == 0);
        if (!skip) {
          now.head = now.own_head;
          if (now.reader_sleeps != 0) now.reader_rung = true;
          now.reader_sleeps = 0;
        }
        add(now, now.own_head == total ? writer_at::done : writer_at::write);
        break;
      }
      case writer_at::announce:
        now.head = now.own_head;
        now.writer_waits = now.wish;
        add(now,
            which_ == protocol::writer_does_not_look_again ? writer_at::asleep : writer_at::look);
        break;
      case writer_at::look:
        add(now, room < now.wish ? writer_at::asleep : writer_at::revoke);
        break;
      case writer_at::revoke:
        now.head = now.own_head;
        now.writer_waits = 0;
        add(now, writer_at::write);
        break;
      case writer_at::asleep:
        if (!now.writer_rung) break;
        now.writer_rung = false;
        add(now, writer_at::write);
        break;
      case writer_at::done:
        break;
    }
  }

  void reader_step(state now) {
    const bool announces_first = which_ != protocol::reader_announces_after_looking;
    switch (now.reader) {
      case reader_at::read: {
        const int unread = now.head - now.own_tail;
        if (unread == 0) add(now, announces_first ? reader_at::announce : reader_at::look);
        for (int count = 1; count <= unread; ++count) {
          state to = now;
          to.own_tail += count;
          add(to, reader_at::ask);
        }
        break;
      }
      case reader_at::ask: {
        if (which_ != protocol::question_to_writer_is_a_load) now.tail = now.own_tail;
        const int room = capacity - (now.head - now.own_tail);
        bool grant = now.writer_waits != 0 && now.writer_waits <= room;
        if (which_ == protocol::reader_never_asks) grant = false;
        if (!grant && which_ == protocol::wish_is_forgotten_when_not_granted) now.writer_waits = 0;
        add(now, grant ? reader_at::wake : reader_at::read);
        break;
      }
      case reader_at::wake:
        now.tail = now.own_tail;
        if (now.writer_waits != 0) now.writer_rung = true;
        now.writer_waits = 0;
        add(now, reader_at::read);
        break;
      case reader_at::announce:
        now.tail = now.own_tail;
        now.reader_sleeps = 1;
        add(now, announces_first && which_ != protocol::reader_does_not_look_again
                     ? reader_at::look
                     : reader_at::asleep);
        break;
      case reader_at::look:
        if (now.head == now.own_tail) {
          add(now, announces_first ? reader_at::asleep : reader_at::announce);
        } else {
          add(now, announces_first ? reader_at::revoke : reader_at::read);
        }
        break;
      case reader_at::revoke:
        now.tail = now.own_tail;
        now.reader_sleeps = 0;
        add(now, reader_at::read);
        break;
      case reader_at::asleep:
        if (!now.reader_rung) break;
        now.reader_rung = false;
        add(now, reader_at::read);
        break;
    }
  }

  protocol which_;
  std::set<state> known_;
  std::vector<state> next_;
};

}  // namespace

TEST_CASE("given every order of steps, when both sides sleep and wake, then no wake-up is lost") {
  model all{protocol::right};
  CHECK_FALSE(all.can_get_stuck());
  CHECK(all.states() > 1000);
}

TEST_CASE(
    "given a protocol that is wrong in one thing, when every order is tried, then it is found") {
  for (const protocol each :
       {protocol::reader_does_not_look_again, protocol::reader_announces_after_looking,
        protocol::writer_does_not_look_again, protocol::question_to_reader_is_a_load_first,
        protocol::question_to_writer_is_a_load, protocol::wish_is_forgotten_when_not_granted,
        protocol::writer_never_asks, protocol::reader_never_asks}) {
    INFO("protocol " << static_cast<int>(each));
    CHECK(model{each}.can_get_stuck());
  }
}
