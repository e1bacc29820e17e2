// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/result_takers.hpp>

#include "result_log.hpp"

namespace {

using namespace coterie::detail;
using namespace result_log;
using coterie::errc;

/// A taker, and the handler that gets its outcome.
template <class Taker, class Outcome>
struct pair {
  Taker taker{std::nullopt};
  std::shared_ptr<heard<Outcome>> to = std::make_shared<heard<Outcome>>();

  pair() { taker.send_to(std::make_unique<listener<Outcome>>(to)); }

  job_progress values(std::size_t first, std::size_t count, std::span<const std::byte> bytes) {
    return told(taker.values(first, count, bytes, due_));
  }
  template <class T>
  job_progress values(std::size_t first, const std::vector<T>& values) {
    const byte_buffer bytes = encoded(values);
    return this->values(first, values.size(), bytes);
  }
  job_progress failure(std::size_t index, std::exception_ptr error) {
    return told(taker.failure(index, std::move(error), due_));
  }
  void finish(std::exception_ptr error) {
    taker.finish(std::move(error), due_);
    told(job_progress::settled);
  }
  [[nodiscard]] std::size_t finished() const { return taker.finished.load(); }

 private:
  job_progress told(job_progress progress) {
    deliver_all(std::exchange(due_, {}), true);
    return progress;
  }
  deliveries due_;
};

template <class R>
using one = pair<value_taker<R>, R>;
template <class R>
using all = pair<collecting_taker<R>, collected_t<R>>;
template <class R>
using each = pair<settling_taker<R>, std::vector<settled<R>>>;

}  // namespace

TEST_CASE("given one value, when the job finishes, then it is the outcome") {
  one<std::string> call;
  CHECK(call.values<std::string>(0, {"text"}) == job_progress::wants_more);
  CHECK(call.to->times == 0);
  call.finish({});
  CHECK(call.to->times == 1);
  CHECK(call.to->value == "text");
  CHECK_FALSE(call.to->failure);
}

TEST_CASE(
    "given one value that makes no sense, when it comes, then the call fails once, and says why") {
  one<int> call;
  CHECK(call.values(0, 1, encoded<char>({'x'})) == job_progress::settled);
  CHECK(code_of(call.to->failure) == errc::decode_failed);
  call.finish({});
  CHECK(call.failure(0, problem("late")) == job_progress::settled);
  CHECK(call.to->times == 1);
}

TEST_CASE(
    "given a call that fails, when the job finishes early or not, then the reason is told once") {
  one<int> failed;
  CHECK(failed.failure(0, problem("why")) == job_progress::settled);
  failed.finish(problem("other"));
  CHECK(what_of(failed.to->failure) == "why");
  CHECK(failed.to->times == 1);

  one<int> ended;
  ended.finish(problem("ended"));
  CHECK(what_of(ended.to->failure) == "ended");
  CHECK(ended.to->times == 1);
}

TEST_CASE("given a call that returns nothing, when it is done, then the outcome is just that") {
  one<void> call;
  CHECK(call.values(0, 1, {}) == job_progress::wants_more);
  call.finish({});
  CHECK(call.to->times == 1);
  CHECK_FALSE(call.to->failure);
}

TEST_CASE("given values in any order, when a map finishes, then they are in the input's") {
  all<int> numbers;
  CHECK(numbers.values<int>(4, {40, 50}) == job_progress::wants_more);
  CHECK(numbers.finished() == 2);
  CHECK(numbers.values<int>(0, {0}) == job_progress::wants_more);
  CHECK(numbers.finished() == 3);
  CHECK(numbers.values<int>(1, {10, 20, 30}) == job_progress::wants_more);
  CHECK(numbers.finished() == 6);
  numbers.finish({});
  CHECK(numbers.to->value == std::vector{0, 10, 20, 30, 40, 50});

  all<std::string> texts;
  texts.values<std::string>(1, {"b", "c"});
  texts.values<std::string>(0, {"a"});
  texts.finish({});
  CHECK(texts.to->value == std::vector<std::string>{"a", "b", "c"});

  all<bool> flags;
  CHECK(flags.values(1, 2, encoded<char>({1, 0})) == job_progress::wants_more);
  CHECK(flags.values(0, 1, encoded<char>({1})) == job_progress::wants_more);
  flags.finish({});
  CHECK(flags.to->value == std::vector{true, true, false});

  all<void> nothing;
  nothing.values(0, 3, {});
  nothing.finish({});
  CHECK(nothing.to->times == 1);
  CHECK(nothing.finished() == 3);
}

TEST_CASE("given a map of nothing, when it finishes, then the outcome is empty") {
  all<int> none;
  none.finish({});
  CHECK(none.to->times == 1);
  CHECK(none.to->value.empty());
}

TEST_CASE("given a failure amid a map, when more comes, then the first failure stays the outcome") {
  all<int> map;
  map.values<int>(0, {1, 2});
  CHECK(map.failure(2, problem("first")) == job_progress::settled);
  CHECK(map.values<int>(3, {4}) == job_progress::settled);
  map.failure(4, problem("second"));
  map.finish({});
  CHECK(map.to->times == 1);
  CHECK(what_of(map.to->failure) == "first");
}

TEST_CASE("given garbage amid a map, when it comes, then the map fails and nothing worse") {
  all<int> short_block;
  CHECK(short_block.values(0, 2, encoded<char>({1, 2, 3})) == job_progress::settled);
  CHECK(code_of(short_block.to->failure) == errc::decode_failed);

  all<bool> odd_flag;
  CHECK(odd_flag.values(0, 1, encoded<char>({7})) == job_progress::settled);
  CHECK(code_of(odd_flag.to->failure) == errc::decode_failed);

  all<std::string> cut_off;
  const byte_buffer whole = encoded<std::string>({"one", "two"});
  for (std::size_t length = 0; length + 16 < whole.size(); ++length) {
    all<std::string> map;
    CHECK(map.values(0, 2, whole.view().first(length)) == job_progress::settled);
    CHECK(map.to->times == 1);
  }
}

TEST_CASE(
    "given a settled map, when values and failures come, then each is told, in the input's order") {
  each<int> map;
  CHECK(map.failure(3, problem("three")) == job_progress::wants_more);
  CHECK(map.values<int>(1, {10, 20}) == job_progress::wants_more);
  CHECK(map.failure(0, problem("zero")) == job_progress::wants_more);
  CHECK(map.finished() == 4);
  map.finish({});
  REQUIRE(map.to->times == 1);
  REQUIRE(map.to->value.size() == 4);
  CHECK(what_of(map.to->value[0].error()) == "zero");
  CHECK(map.to->value[1].value() == 10);
  CHECK(map.to->value[2].value() == 20);
  CHECK(what_of(map.to->value[3].error()) == "three");
}

TEST_CASE("given garbage in a settled map, when it comes, then its items fail and others do not") {
  each<std::string> map;
  byte_buffer bytes = encoded<std::string>({"good", "bad", "good again"});
  // The second record begins after the first one's 16 bytes of length and 16 of text.
  std::span<const std::byte> rest = bytes;
  take_record(rest);
  const std::size_t second = bytes.size() - rest.size();
  bytes.data()[second + record_alignment] ^= std::byte{0xff};  // the text claims another length
  CHECK(map.values(0, 3, bytes) == job_progress::wants_more);
  map.finish({});
  REQUIRE(map.to->value.size() == 3);
  CHECK(map.to->value[0].value() == "good");
  CHECK(code_of(map.to->value[1].error()) == errc::decode_failed);
  CHECK(map.to->value[2].value() == "good again");
}

TEST_CASE(
    "given a settled map that returns nothing, when an item fails, then the others have succeeded") {
  each<void> map;
  map.values(0, 2, {});
  map.failure(2, problem("why"));
  map.finish({});
  REQUIRE(map.to->value.size() == 3);
  CHECK(map.to->value[0].has_value());
  CHECK(map.to->value[1].has_value());
  CHECK(map.to->value[2].has_error());
}

TEST_CASE("given a settled map, when it ends early, then the reason is its outcome") {
  each<int> map;
  map.values<int>(0, {1});
  map.finish(problem("early"));
  CHECK(map.to->times == 1);
  CHECK(what_of(map.to->failure) == "early");
}

TEST_CASE("given takers, when they are abandoned, then their handlers are dropped uncalled") {
  one<int> call;
  call.taker.abandon();
  CHECK(call.to->dropped);
  each<int> map;
  map.taker.abandon();
  CHECK(map.to->dropped);
  all<int> failed;
  failed.failure(0, problem("why"));
  failed.taker.abandon();  // its handler has had its outcome
  CHECK(failed.to->times == 1);
}

TEST_CASE("given a call without an operation, when it ends, then its outcome is kept and told") {
  const counted_ptr<outcome> of{new value_taker<std::string>{std::nullopt}};
  const auto to = std::make_shared<heard<bool>>();
  const auto tell = [&](const auto& what) {
    deliveries due;
    what(due);
    deliver_all(std::move(due), true);
  };
  const outcome::end_function end = [](outcome& ended, std::unique_ptr<delivery> handler,
                                       wait_end how, deliveries& due) {
    CHECK(ended.ready() == (how == wait_end::ready));
    keep<bool>(*handler, how == wait_end::ready);
    due.push_back(std::move(handler));
  };
  const auto wait = [&](wait_ticket ticket) {
    tell([&](deliveries& due) {
      of->wait({ticket, std::make_unique<listener<bool>>(to), end}, due);
    });
  };
  wait(1);
  wait(2);
  tell([&](deliveries& due) { of->end_wait(1, wait_end::late, due); });
  tell([&](deliveries& due) { of->cancel_wait(1, due); });  // waits no longer
  CHECK(to->times == 1);
  CHECK_FALSE(to->value);
  const byte_buffer bytes = encoded<std::string>({"text"});
  tell([&](deliveries& due) { of->values(0, 1, bytes, due); });
  CHECK_FALSE(of->ready());
  tell([&](deliveries& due) { of->finish({}, due); });
  CHECK(of->now.load() == outcome::status::value);
  CHECK(static_cast<outcome_of<std::string>&>(*of).kept == "text");
  CHECK(to->times == 2);
  CHECK(to->value);
  wait(3);
  CHECK(to->times == 3);
}
