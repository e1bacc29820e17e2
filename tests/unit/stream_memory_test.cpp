// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/stream_state.hpp>

#include "result_log.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace coterie::detail;
using namespace result_log;

// How many allocations are still granted before one is refused; none is if there is no number.
std::optional<std::size_t> granted;

class all_granted {
 public:
  all_granted() : before_{std::exchange(granted, std::nullopt)} {}
  all_granted(const all_granted&) = delete;
  all_granted& operator=(const all_granted&) = delete;
  ~all_granted() { granted = before_; }

 private:
  const std::optional<std::size_t> before_;
};

}  // namespace

// Sanitizers have operators of their own, and refuse nothing.
#ifndef COTERIE_TEST_SANITIZED

void* operator new(std::size_t size) {
  if (granted && (*granted)-- == 0) {
    granted.reset();
    throw std::bad_alloc{};
  }
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#endif

namespace {

using values = std::vector<std::string>;

/// A stream of texts that the pool ends when there is no memory, as it does.
class scarce_stream {
 public:
  explicit scarce_stream(stream_order order) : state_{order, 0} {}

  values read;
  bool ended = false;

  void ask(wait_ticket ticket) {
    std::unique_ptr<delivery> reader;
    {
      const all_granted made;
      reader = std::make_unique<handler>(*this);
    }
    state_.announce();
    step([&] { state_.ask(ticket, std::move(reader), due_); });
  }
  void cancel(wait_ticket ticket) {
    step([&] { state_.cancel_wait(ticket, due_); });
  }
  void come(std::size_t first, const byte_buffer& results) {
    step([&] { state_.values(first, 1, results, due_); });
  }
  void take_all() {
    for (stream_entry<std::string> next;; next = {}) {
      if (state_.take(next) == stream_results::next_step::wait) return;
      if (!next.value && !next.error) return;
      if (next.value) read.push_back(*next.value);
    }
  }
  void abandon() { state_.abandon(); }

 private:
  template <class Step>
  void step(Step what) {
    if (ended) return;
    try {
      what();
    } catch (const std::bad_alloc&) {
      ended = true;
      state_.finish(std::current_exception(), due_);
    }
    for (auto& each : std::exchange(due_, {})) {
      delivery& it = *each;
      it.call(std::move(each));
    }
  }

  class handler final : public completion<std::optional<std::string>> {
   public:
    explicit handler(scarce_stream& of) : of_{&of} {}
    void deliver(std::unique_ptr<delivery> self, bool) override { call(std::move(self)); }
    void call(std::unique_ptr<delivery>) override {
      const all_granted while_it_is_read;
      if (this->value_ && *this->value_) of_->read.push_back(**this->value_);
    }

   private:
    scarce_stream* of_;
  };

  stream_state<std::string> state_;
  deliveries due_;
};

}  // namespace

TEST_CASE(
    "given a stream, when any allocation is refused, then no result is wrong or comes twice") {
  constexpr std::size_t items = 40;
  values sent;
  std::vector<byte_buffer> results;
  for (std::size_t item = 0; item < items; ++item) {
    sent.push_back("a text that is longer than a string holds in itself " +
                   std::to_string(100 + item));
    results.push_back(encoded(values{sent.back()}));
  }
  const auto order = GENERATE(stream_order::as_given, stream_order::as_finished);
  for (std::size_t refused = 0;; ++refused) {
    INFO("allocation " << refused);
    scarce_stream stream{order};
    granted = refused;
    for (std::size_t item = 0; item < items; item += 2) {
      stream.ask(1);
      stream.ask(2);
      stream.cancel(1);
      stream.come(item, results[item]);
      stream.come(item + 1, results[item + 1]);
    }
    const bool none_refused = granted.has_value();
    granted.reset();
    stream.take_all();
    stream.abandon();
    REQUIRE(std::ranges::adjacent_find(stream.read, std::ranges::greater_equal{}) ==
            stream.read.end());
    REQUIRE(std::ranges::includes(sent, stream.read));
    if (none_refused) {
      CHECK(stream.read == sent);
      break;
    }
  }
}
