// SPDX-License-Identifier: BSL-1.0

// The parent's ends of a `ring_pair`, and a worker that first keeps the rules and then, perhaps,
// writes what it likes wherever it can. While it keeps them, what is read is what was written, and
// no side sleeps through what it waits for. Whatever it does, the worst that the parent sees is
// `bad_frame`.

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "channel/byte_ring.hpp"
#include "fuzz/support.hpp"
#include "messages/frame.hpp"
#include "messages/frame_reader.hpp"
#include "unit/frames.hpp"
#include "unit/ring_memory.hpp"

namespace {

using namespace coterie::detail;
using frames::bytes;

/// One ring, seen from the side that writes and from the side that reads; one of the two is ours.
class ring_under_test {
 public:
  ring_under_test(std::size_t capacity, std::uint64_t start)
      : memory_{capacity, start}, writer_{memory_.ring(), start}, reader_{memory_.ring(), start} {}

  [[nodiscard]] std::size_t capacity() const { return writer_.capacity(); }
  byte_ring::control_words& words() { return memory_.words(); }
  [[nodiscard]] std::span<std::byte> memory() const { return memory_.bytes(); }

  /// From now on the other side may have done anything, and nothing is known of what is in the
  /// ring.
  void distrust() { honest_ = false; }

  void write(const bytes& what, bool in_pieces) {
    const std::size_t half = what.size() / 2;
    auto* const begin = const_cast<std::byte*>(what.data());
    const std::array pieces{iovec{begin, half}, iovec{}, iovec{begin + half, what.size() - half}};
    const std::size_t count = in_pieces ? writer_.write(pieces) : writer_.write(what);
    fuzz::holds(count <= what.size() && count <= capacity(), "no more is written than there is");
    if (honest_) {
      const std::size_t room = capacity() - inside_.size();
      fuzz::holds(count == std::min(what.size(), room), "as much is written as fits");
    }
    const auto wakes = writer_.must_wake_reader();
    if (!honest_) return;
    inside_.insert(inside_.end(), what.begin(), what.begin() + static_cast<std::ptrdiff_t>(count));
    fuzz::holds(wakes == reader_sleeps_, "a reader that sleeps is woken as it wants");
    reader_sleeps_.reset();
  }

  bytes read(std::size_t most) {
    bytes came(most);
    const std::size_t count = reader_.read(came);
    came.resize(count);
    fuzz::holds(count <= capacity(), "no more is read than fits");
    if (honest_) {
      fuzz::holds(count == std::min(most, inside_.size()), "as much is read as is there");
      fuzz::holds(std::equal(came.begin(), came.end(), inside_.begin()),
                  "what is read is what was written");
      inside_.erase(inside_.begin(), inside_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    const bool wakes = reader_.must_wake_writer();
    if (honest_) {
      const bool granted =
          writer_waits_for_ > 0 && writer_waits_for_ <= capacity() - inside_.size();
      fuzz::holds(wakes == granted, "a writer that waits is woken when it has the room it wants");
      if (granted) writer_waits_for_ = 0;
    }
    return came;
  }

  void sleep(wake_by how) {
    const bool may = reader_.prepare_sleep(how);
    if (honest_) fuzz::holds(may == inside_.empty(), "a reader sleeps if there is nothing");
    reader_sleeps_ = may ? std::optional{how} : std::nullopt;
  }
  void wake_up() {
    reader_.stop_sleeping();
    reader_sleeps_.reset();
  }
  void wait(std::size_t wanted) {
    const bool may = writer_.prepare_wait(wanted);
    wanted = std::clamp(wanted, std::size_t{1}, capacity());
    if (honest_) {
      fuzz::holds(may == (capacity() - inside_.size() < wanted),
                  "a writer waits if room is missing");
    }
    writer_waits_for_ = may ? wanted : 0;
  }
  void stop_waiting() {
    writer_.stop_waiting();
    writer_waits_for_ = 0;
  }
  void measure() {
    const std::size_t unread = reader_.readable();
    const std::size_t room = writer_.free();
    fuzz::holds(unread <= capacity() && room <= capacity(), "no more than the capacity");
    if (honest_) {
      fuzz::holds(unread == inside_.size() && unread + room == capacity(), "nothing is lost");
    }
  }

 private:
  ring_memory memory_;
  ring_writer writer_;
  ring_reader reader_;
  std::deque<std::byte> inside_;
  bool honest_ = true;
  std::optional<wake_by> reader_sleeps_;
  std::size_t writer_waits_for_ = 0;
};

std::uint64_t near(std::uint64_t value, fuzz::script& orders) {
  return value + orders.number<std::uint16_t>() - 0x8000U;
}

// The other side breaks the rules.
void meddle(ring_under_test& ring, fuzz::script& orders) {
  ring.distrust();
  auto& words = ring.words();
  const std::array all{&words.head, &words.tail, &words.reader_sleeps, &words.writer_waits};
  std::uint64_t& word = *all[orders.up_to(all.size() - 1)];
  switch (orders.byte() % 4) {
    case 0:
      word = orders.number<std::uint64_t>();
      break;
    case 1:
      word = near(word, orders);
      break;
    case 2:
      word = near(*all[orders.up_to(1)], orders);
      break;
    default: {
      const auto memory = ring.memory();
      const std::size_t at = orders.up_to(memory.size() - 1);
      const auto noise = orders.bytes(std::min<std::size_t>(orders.byte(), memory.size() - at));
      if (!noise.empty()) std::memcpy(&memory[at], noise.data(), noise.size());
    }
  }
}

/// The two rings as a parent uses them.
class parent_side {
 public:
  parent_side(std::size_t capacity, std::uint64_t start)
      : to_worker_{capacity, start}, to_parent_{capacity, start} {}

  void run(fuzz::script& orders) {
    while (!orders.empty()) {
      try {
        step(orders);
      } catch (const bad_frame&) {
        fuzz::holds(meddled_, "nothing is refused that an honest worker does");
        // A link ends here; the rings must bear what comes after it all the same.
      }
    }
  }

 private:
  void step(fuzz::script& orders) {
    enum order : unsigned {
      write,
      read,
      sleep,
      wake_up,
      wait,
      stop_waiting,
      measure,
      frame_through,
      interfere,
      order_count
    };
    ring_under_test& ring = orders.byte() % 2 == 0 ? to_worker_ : to_parent_;
    switch (orders.byte() % order_count) {
      case write: {
        const std::size_t size = orders.up_to(2 * ring.capacity());
        return ring.write(frames::pattern(size, seed_++), orders.byte() % 2 == 0);
      }
      case read:
        ring.read(orders.up_to(2 * ring.capacity()));
        return;
      case sleep:
        return ring.sleep(orders.byte() % 2 == 0 ? wake_by::bell : wake_by::futex);
      case wake_up:
        return ring.wake_up();
      case wait:
        return ring.wait(orders.up_to(2 * ring.capacity()));
      case stop_waiting:
        return ring.stop_waiting();
      case measure:
        return ring.measure();
      case frame_through:
        return pass_frame(ring, orders);
      case interfere:
        meddled_ = true;
        return meddle(ring, orders);
    }
  }

  // A frame goes through an empty ring, in as many pieces as it takes, and comes out whole.
  void pass_frame(ring_under_test& ring, fuzz::script& orders) {
    while (!ring.read(ring.capacity()).empty()) {
    }
    const bytes payload = frames::pattern(orders.up_to(20 * ring.capacity()), seed_++);
    bytes all;
    frames::append(all, frames::header(message_kind::values, 7), payload);
    frame_reader reader;
    for (std::span<const std::byte> rest{all}; !rest.empty();) {
      const std::size_t count = std::min(rest.size(), ring.capacity());
      ring.write({rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count)}, true);
      const bytes came = ring.read(count);
      if (meddled_ && came.size() != count) return;
      frames::feed(reader, came);
      rest = rest.subspan(count);
    }
    if (meddled_) return;
    const auto whole = reader.next();
    fuzz::holds(whole && frames::same(whole->payload, payload), "a frame arrives whole");
    fuzz::holds(!reader.in_the_middle(), "and nothing else does");
  }

  ring_under_test to_worker_;
  ring_under_test to_parent_;
  unsigned seed_ = 0;
  bool meddled_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::script orders{data, size};
  const std::size_t capacity = std::size_t{1} << orders.up_to(12);
  // Around the largest index, too.
  const std::uint64_t start = orders.byte() % 2 == 0 ? near(0, orders) : 0;
  fuzz::in_little_memory([&] { parent_side{capacity, start}.run(orders); });
  return 0;
}
