// SPDX-License-Identifier: BSL-1.0
#include "simulated_worker.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <memory>
#include <span>
#include <utility>

#include <coterie/detail/shared_word.hpp>

#include "channel/link_offer.hpp"
#include "messages/frame_reader.hpp"
#include "system/descriptor_channel.hpp"
#include "worker/worker_loop.hpp"
#include "worker/worker_transport.hpp"

namespace simulation {

namespace detail = coterie::detail;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// A worker can be stopped, or end, before and after all that the other side could see.
class stepping_transport final : public detail::worker_transport {
 public:
  stepping_transport(std::unique_ptr<detail::worker_transport> real, simulated_worker& worker)
      : real_{std::move(real)}, worker_{worker} {}

  std::size_t read(std::span<std::byte> to, bool may_wait) override {
    return around([&] { return real_->read(to, may_wait); });
  }
  [[nodiscard]] bool input_waits() override {
    return around([&] { return real_->input_waits(); });
  }
  std::size_t write(std::span<const iovec> pieces) override {
    return around([&] {
      const std::size_t count = real_->write(pieces);
      if (!real_->has_segments()) note(pieces, count);
      return count;
    });
  }
  bool notify() override {
    return around([&] { return real_->notify(); });
  }
  [[nodiscard]] bool all_is_read() override {
    return around([&] { return real_->all_is_read(); });
  }
  [[nodiscard]] bool has_segments() const noexcept override { return real_->has_segments(); }
  detail::unique_descriptor take_descriptor() override {
    auto taken = around([&] { return real_->take_descriptor(); });
    if (worker_.hostile() != nullptr) worker_.hostile()->got_memory(taken.get());
    return taken;
  }
  [[nodiscard]] const detail::open_results& results() const noexcept override {
    return real_->results();
  }
  [[nodiscard]] bool results_survive() const noexcept override { return real_->results_survive(); }
  void begin_results(std::uint64_t sent, detail::job_id job, detail::chunk_id chunk,
                     std::size_t first) override {
    if (worker_.hostile() != nullptr) worker_.hostile()->is_at(job, chunk, first);
    around([&] { real_->begin_results(sent, job, chunk, first); });
  }
  [[nodiscard]] detail::told_results end_results() override {
    return around([&] { return real_->end_results(); });
  }
  [[nodiscard]] bool begin_chunk(std::size_t first) override {
    worker_.when_next_chunk();
    return around([&] { return real_->begin_chunk(first); });
  }
  [[nodiscard]] bool claim_up_to(std::size_t end, std::size_t unit) override {
    return around([&] { return real_->claim_up_to(end, unit); });
  }

 private:
  template <class Operation>
  auto around(Operation operation) -> decltype(operation()) {
    worker_.step();
    if constexpr (std::is_void_v<decltype(operation())>) {
      operation();
      worker_.step();
    } else {
      auto result = operation();
      worker_.step();
      return result;
    }
  }

  // Tells of each frame that has gone as a whole.
  void note(std::span<const iovec> pieces, std::size_t count) {
    for (const iovec& each : pieces) {
      auto bytes = std::span{static_cast<const std::byte*>(each.iov_base), each.iov_len};
      bytes = bytes.first(std::min(count, bytes.size()));
      count -= bytes.size();
      while (!bytes.empty()) {
        const auto space = sent_.space();
        const auto next = bytes.first(std::min(bytes.size(), space.size()));
        std::ranges::copy(next, space.begin());
        sent_.received(next.size());
        bytes = bytes.subspan(next.size());
        while (sent_.next()) worker_.when_frame_sent();
      }
    }
  }

  std::unique_ptr<detail::worker_transport> real_;
  simulated_worker& worker_;
  detail::frame_reader sent_;  // over a socket
};

}  // namespace

simulated_worker* simulated_worker::running = nullptr;

simulated_worker::simulated_worker(event_loop& loop, choices& chance, choices& mischief,
                                   worker_faults faults, pid_t pid, int rank,
                                   detail::unique_descriptor socket)
    : loop_{loop},
      chance_{chance},
      mischief_{mischief},
      faults_{faults},
      pid_{pid},
      rank_{rank},
      socket_{std::move(socket)},
      hostility_{faults.hostile_in > 0 ? std::make_unique<hostility>(mischief, socket_.get())
                                       : nullptr},
      fiber_{[this] { live(); }} {}

simulated_worker::~simulated_worker() { end_now(); }

void simulated_worker::live() {
  try {
    if (chance_.once_in(faults_.stuck_start_in)) sleep(hours{1});
    step();
    look_at_offer();
    auto link = detail::worker_transport::accept(socket_.get(), *this);
    if (hostility_) hostility_->link_is(*link.transport, capacity_, shared_.get());
    link.transport = std::make_unique<stepping_transport>(std::move(link.transport), *this);
    // On the heap, as the real one; but destroyed, so that nothing is left of it here.
    const auto serves =
        std::make_unique<detail::worker_loop>(rank_, std::move(link), *this, socket_.get());
    serves->run();
  } catch (const ended&) {
    // Its end has been noted.
  }
  // What a process leaves open is closed when it ends.
  hostility_.reset();
  socket_.reset();
  stage_ = stage::over;
}

// Without taking it.
void simulated_worker::look_at_offer() {
  detail::link_offer offer;
  auto seen = detail::receive_with_descriptors(
      socket_.get(), std::as_writable_bytes(std::span{&offer, 1}), MSG_PEEK | MSG_DONTWAIT);
  shared_ = std::move(seen.descriptors.front());
}

std::uint64_t simulated_worker::claims() const {
  if (capacity_ == 0) return taken_ + count();
  // They are what the memory begins with.
  std::uint64_t word = 0;
  if (shared_) static_cast<void>(::pread(shared_.get(), &word, sizeof word, 0));
  return word;
}

std::uint64_t simulated_worker::count() const {
  std::uint64_t value = 0;
  if (!shared_ || ::read(shared_.get(), &value, sizeof value) < 0) return 0;
  // A read takes out of a counter what it finds.
  static_cast<void>(::write(shared_.get(), &value, sizeof value));
  return value;
}

void simulated_worker::claims_are_read() {
  if (capacity_ == 0) taken_ += count();
}

// ---- driven -----------------------------------------------------------------------------------

void simulated_worker::go_on() {
  if (stage_ == stage::over) return;
  stage_ = stage::runs;
  running = this;
  detail::current_worker = std::exchange(state_, nullptr);
  fiber_.resume();
  state_ = std::exchange(detail::current_worker, nullptr);
  running = nullptr;
  if (stage_ == stage::over && when_over) when_over();
}

void simulated_worker::signal(int number) noexcept {
  if (!signal_) signal_ = number;
  if (stage_ != stage::over) stage_ = stage::runs;
}

void simulated_worker::end_now() noexcept {
  signal(SIGKILL);
  while (stage_ != stage::over) go_on();
}

// ---- from inside ------------------------------------------------------------------------------

void simulated_worker::end(int wait_status) {
  if (!std::exchange(ending_, true)) wait_status_ = wait_status;
  throw ended{};
}

void simulated_worker::require_running() {
  if (ending_) throw ended{};
  if (signal_) end(*signal_);
}

void simulated_worker::pause() {
  require_running();
  fiber_.pause();
  require_running();
}

void simulated_worker::step() {
  require_running();
  if (chance_.once_in(faults_.crash_in)) end(chance_.once_in(2) ? SIGKILL : SIGSEGV);
  if (chance_.once_in(4)) pause();
  may_turn_hostile();
}

void simulated_worker::may_turn_hostile() {
  if (!is_hostile_ && mischief_.once_in(faults_.hostile_in)) be_hostile();
}

// For a moment, after which it may go on as if nothing had happened, or until it ends.
void simulated_worker::be_hostile() {
  is_hostile_ = true;
  hostility_->when_it_begins = when_hostile;
  bool may_go_on = true;
  std::size_t acts = mischief_.once_in(3) ? mischief_.between(2, 20) : 1;
  for (; acts > 0; --acts) {
    try {
      const hostile_act did = hostility_->act();
      may_go_on = may_go_on && did.may_go_on;
      if (!did.what.empty()) when_hostile(did);
    } catch (const detail::bad_frame&) {
      may_go_on = false;  // its own code has found what it wrote
    }
    if (mischief_.once_in(2)) sleep(mischief_.time_between(nanoseconds{100}, milliseconds{10}));
  }
  if (mischief_.once_in(6)) end(SIGSEGV);
  if (!may_go_on || mischief_.once_in(4)) {
    when_hostile({.what = "does nothing any more", .spoils = delays | progress});
    sleep(mischief_.time_between(microseconds{1}, seconds{30}));
    end(mischief_.once_in(2) ? SIGSEGV : 0);
  }
  is_hostile_ = false;
}

void simulated_worker::sleep(nanoseconds time) {
  stage_ = stage::sleeps;
  wakes_ = loop_.now() + time;
  pause();
}

void simulated_worker::crash(int signal_number) { end(signal_number); }

simulated_worker::time_point simulated_worker::now() {
  step();
  return loop_.now();
}

void simulated_worker::wait(int descriptor, short events) {
  stage_ = stage::waits;
  descriptor_ = descriptor;
  events_ = events;
  pause();
}

bool simulated_worker::wait_on_word(const std::uint64_t& word, std::uint64_t value,
                                    nanoseconds limit) {
  word_ = &word;
  value_ = value;
  sleep(limit);
  const bool woken = is_woken();
  word_ = nullptr;
  return woken;
}

bool simulated_worker::is_woken() const noexcept {
  return word_ != nullptr &&
         detail::shared_word{const_cast<std::uint64_t&>(*word_)}.load() != value_;
}

void simulated_worker::wait_for_input(int descriptor) { wait(descriptor, POLLIN); }
void simulated_worker::wait_for_output(int descriptor) { wait(descriptor, POLLOUT); }
void simulated_worker::yield() { pause(); }

void simulated_worker::do_exit(int code) { end(code << 8); }
void simulated_worker::do_exit_at_once(int code) { end(code << 8); }

}  // namespace simulation
