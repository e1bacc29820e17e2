// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>
#include <catch2/catch.hpp>

#include <coterie/detail/stream_state.hpp>

#include "result_log.hpp"

namespace {

using namespace coterie::detail;
using namespace result_log;
using coterie::errc;
using next_step = stream_results::next_step;

/// A stream and its reader. What the reader gets is written down as text: a value, "end", or
/// "! what" for a failure.
template <class R>
class desk {
 public:
  explicit desk(stream_order order, std::size_t window = 0) : state{order, window} {}

  stream_state<R> state;
  std::vector<std::string> log;
  std::vector<std::exception_ptr> failures;
  deliveries due;

  void ask(std::uint64_t ticket = 0) {
    state.announce();
    arrive(ticket);
  }
  /// A reader that was announced.
  void arrive(std::uint64_t ticket = 0) {
    state.ask(ticket, std::make_unique<handler>(*this), due);
    tell();
  }
  void ask_times(int times) {
    for (; times > 0; --times) ask();
  }
  job_progress bytes(std::size_t first, std::size_t count, std::span<const std::byte> results) {
    const job_progress progress = state.values(first, count, results, due);
    tell();
    return progress;
  }
  void values(std::size_t first, const std::vector<R>& values) {
    CHECK(bytes(first, values.size(), encoded(values)) == job_progress::wants_more);
  }
  void fail(std::size_t index, const char* what) {
    CHECK(state.failure(index, problem(what), due) == job_progress::wants_more);
    tell();
  }
  void finish(std::exception_ptr error) {
    state.finish(std::move(error), due);
    tell();
  }
  void cancel(std::uint64_t ticket) {
    state.cancel_wait(ticket, due);
    tell();
  }
  /// Takes what is at hand.
  next_step take() {
    typename stream_state<R>::entry result;
    const next_step step = state.take(result);
    if (step == next_step::wait) return step;
    write_down(result.error, result.value);
    return step;
  }
  void take_times(int times) {
    for (; times > 0; --times) take();
  }

 private:
  void tell() { deliver_all(std::exchange(due, {}), true); }
  void write_down(const std::exception_ptr& error, const std::optional<R>& value) {
    if (error) {
      log.push_back("! " + what_of(error));
      failures.push_back(error);
    } else if (!value) {
      log.emplace_back("end");
    } else if constexpr (std::is_arithmetic_v<R>) {
      log.push_back(std::to_string(*value));
    } else {
      log.push_back(*value);
    }
  }

  class handler final : public completion<std::optional<R>> {
   public:
    explicit handler(desk& of) : of_{&of} {}
    void deliver(std::unique_ptr<delivery> self, bool) override { call(std::move(self)); }
    void call(std::unique_ptr<delivery>) override {
      of_->write_down(this->error_, this->error_ ? std::nullopt : std::move(*this->value_));
    }

   private:
    desk* of_;
  };
};

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "given results that are there, when they are asked for, then they come, and then the end") {
  desk<int> stream{stream_order::as_given};
  stream.values(0, {1, 2});
  CHECK(stream.log.empty());
  stream.ask_times(2);
  CHECK(stream.log == texts{"1", "2"});
  stream.ask();
  CHECK(stream.log.size() == 2);
  stream.finish({});
  stream.ask();
  CHECK(stream.log == texts{"1", "2", "end", "end"});
}

TEST_CASE("given readers that wait, when results come, then the first reader gets the first") {
  desk<std::string> stream{stream_order::as_finished};
  stream.ask_times(3);
  stream.values(5, {"five"});
  stream.values(0, {"zero", "one"});
  CHECK(stream.log == texts{"five", "zero", "one"});
}

TEST_CASE(
    "given an order to keep, when results come in another, then later ones wait for earlier ones") {
  desk<int> stream{stream_order::as_given};
  stream.ask_times(6);
  stream.values(2, {2, 3});
  CHECK(stream.log.empty());
  stream.fail(1, "one");
  CHECK(stream.log.empty());
  stream.values(0, {0});
  CHECK(stream.log == texts{"0", "! one", "2", "3"});
  stream.finish({});
  CHECK(stream.log == texts{"0", "! one", "2", "3", "end", "end"});
}

TEST_CASE(
    "given no order to keep, when an item fails, then it is told in its turn and the rest follow") {
  desk<int> stream{stream_order::as_finished};
  stream.values(7, {7});
  stream.fail(3, "three");
  stream.values(1, {1});
  stream.finish({});
  stream.ask_times(4);
  CHECK(stream.log == texts{"7", "! three", "1", "end"});
}

TEST_CASE(
    "given an early end, when it is read, then what is there comes, then the reason, then the end") {
  for (const auto order : {stream_order::as_given, stream_order::as_finished}) {
    desk<int> stream{order};
    stream.values(0, {0});
    stream.values(2, {2});
    stream.values(4, {4});
    stream.finish(problem("closed"));
    stream.ask_times(5);
    CHECK(stream.log == texts{"0", "2", "4", "! closed", "end"});
  }
}

TEST_CASE(
    "given readers that wait, when the stream ends early, then one is told why, the others the end") {
  desk<int> stream{stream_order::as_given};
  stream.ask_times(3);
  stream.finish(problem("closed"));
  CHECK(stream.log == texts{"! closed", "end", "end"});
}

TEST_CASE(
    "given a reader that waits, when it is cancelled, then only it is, and no result is lost") {
  desk<int> stream{stream_order::as_given};
  stream.ask(1);
  stream.ask(2);
  stream.ask(3);
  stream.cancel(2);
  REQUIRE(stream.failures.size() == 1);
  CHECK(code_of(stream.failures[0]) == boost::asio::error::operation_aborted);
  stream.cancel(2);  // it is gone
  stream.cancel(9);  // it never was
  CHECK(stream.log.size() == 1);
  stream.values(0, {10, 20, 30});
  CHECK(stream.log == texts{stream.log[0], "10", "20"});
  stream.cancel(1);  // it has its result
  stream.ask();
  CHECK(stream.log.back() == "30");
}

TEST_CASE("given results, when they leave, then as many are released, and each is counted once") {
  desk<int> stream{stream_order::as_given};
  stream.values(1, {1, 2});
  stream.ask();
  CHECK(stream.state.released() == 0);
  stream.values(0, {0});
  CHECK(stream.state.released() == 1);
  CHECK(stream.state.released() == 0);
  stream.ask_times(2);
  CHECK(stream.state.released() == 2);
  stream.fail(3, "three");
  stream.ask();
  CHECK(stream.state.released() == 1);
}

TEST_CASE("given garbage, when it comes, then its items fail and the stream goes on") {
  desk<int> numbers{stream_order::as_given};
  CHECK(numbers.bytes(0, 2, encoded<char>({1, 2, 3})) == job_progress::wants_more);
  numbers.values(2, {5});
  numbers.ask_times(3);
  REQUIRE(numbers.failures.size() == 2);
  CHECK(code_of(numbers.failures[0]) == errc::decode_failed);
  CHECK(code_of(numbers.failures[1]) == errc::decode_failed);
  CHECK(numbers.log.back() == "5");

  desk<std::string> texts_stream{stream_order::as_finished};
  const byte_buffer whole = encoded<std::string>({"one", "two"});
  texts_stream.bytes(0, 2, whole.view().first(whole.size() - 32));
  texts_stream.ask_times(2);
  CHECK(texts_stream.log.front() == "one");
  CHECK(texts_stream.failures.size() == 1);
}

TEST_CASE("given a stream, when it is abandoned, then its readers are dropped uncalled") {
  desk<int> stream{stream_order::as_given};
  stream.ask();
  stream.values(3, {3});
  stream.state.abandon();
  CHECK(stream.log.empty());
  CHECK(stream.due.empty());
  stream.ask();
  CHECK(stream.log == texts{"end"});
}

TEST_CASE("given a stream, when its input fails, then what was taken is still wanted") {
  CHECK(stream_state<int>{stream_order::as_given, 0}.outlasts_input());
}

// ---- without waiting --------------------------------------------------------------------------

TEST_CASE("given results at hand, when they are taken, then they come, and then the end") {
  desk<std::string> stream{stream_order::as_given};
  CHECK(stream.take() == next_step::wait);
  stream.values(1, {"one"});
  CHECK(stream.take() == next_step::wait);
  stream.values(0, {"zero"});
  stream.fail(2, "two");
  stream.take_times(3);
  CHECK(stream.log == texts{"zero", "one", "! two"});
  CHECK(stream.take() == next_step::wait);
  stream.finish({});
  stream.take_times(2);
  CHECK(stream.log == texts{"zero", "one", "! two", "end", "end"});
}

TEST_CASE("given results at hand, when some are taken and some asked for, then each comes once") {
  desk<int> stream{stream_order::as_finished};
  stream.values(0, {0, 1, 2, 3});
  stream.take();
  stream.ask();
  stream.take();
  stream.ask_times(2);
  CHECK(stream.take() == next_step::wait);
  stream.values(4, {4, 5});
  stream.take();
  CHECK(stream.log == texts{"0", "1", "2", "3", "4", "5"});
  CHECK(stream.state.released() == 6);
}

TEST_CASE("given readers on their way, when another tries to take, then it comes after them") {
  desk<int> stream{stream_order::as_given};
  stream.state.announce();
  stream.state.announce();
  stream.values(0, {0, 1, 2});
  CHECK(stream.take() == next_step::wait);
  stream.arrive();
  CHECK(stream.take() == next_step::wait);
  stream.arrive();
  CHECK(stream.log == texts{"0", "1"});
  stream.take();
  CHECK(stream.log == texts{"0", "1", "2"});
}

TEST_CASE("given a call that ended early, when its results are taken, then its reason comes last") {
  desk<int> stream{stream_order::as_given};
  stream.values(0, {0});
  stream.values(2, {2});
  stream.finish(problem("too late"));
  stream.take_times(4);
  CHECK(stream.log == texts{"0", "2", "! too late", "end"});
}

TEST_CASE("given an abandoned stream, when something is taken, then it is the end") {
  desk<int> stream{stream_order::as_finished};
  stream.values(0, {0});
  stream.state.abandon();
  stream.take();
  CHECK(stream.log == texts{"end"});
}

TEST_CASE("given many results at hand, when all are taken, then the event loop gets its turn") {
  desk<int> stream{stream_order::as_finished};
  stream.values(0, std::vector<int>(200, 1));
  const auto in_a_row = [&] {
    int taken = 0;
    while (stream.take() != next_step::wait) ++taken;
    return taken;
  };
  CHECK(in_a_row() == 64);
  CHECK(stream.take() == next_step::wait);
  stream.ask();
  CHECK(stream.log.size() == 65);
  CHECK(in_a_row() == 64);
}

TEST_CASE(
    "given a window, when results are taken, then the pool is told soon, and before it ends") {
  const auto [window, most] = GENERATE(table<std::size_t, std::size_t>(
      {{0, 32}, {100'000, 32}, {256, 32}, {80, 10}, {16, 2}, {15, 1}, {8, 1}, {7, 1}, {1, 1}}));
  INFO("window " << window);
  desk<int> stream{stream_order::as_finished, window};
  stream.values(0, std::vector<int>(100, 1));
  for (int round = 0; round < 2; ++round) {
    stream.ask();
    CHECK(stream.state.released() == 1);
    for (std::size_t taken = 1; taken < most; ++taken) {
      CHECK(stream.take() == (taken == 1 ? next_step::tell_soon : next_step::go_on));
    }
    CHECK(stream.take() == next_step::tell_now);
    CHECK(stream.take() == next_step::tell_now);
    CHECK(stream.state.released() == most + 1);
  }
}
