// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/result_takers.hpp>

#include "result_log.hpp"

namespace {

using namespace coterie::detail;
using namespace result_log;
using coterie::errc;

/// A taker, and who gets its outcome.
template <class Taker, class Outcome>
struct pair {
  Taker taker{std::nullopt};
  std::shared_ptr<listener<Outcome>> to = std::make_shared<listener<Outcome>>();
  deliveries due;

  pair() { taker.send_to(to); }

  template <class T>
  job_progress values(std::size_t first, const std::vector<T>& values) {
    const byte_buffer bytes = encoded(values);
    return taker.values(first, values.size(), bytes, due);
  }
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
  call.taker.finish({}, call.due);
  CHECK(call.to->times == 1);
  CHECK(call.to->value == "text");
  CHECK_FALSE(call.to->failure);
}

TEST_CASE(
    "given one value that makes no sense, when it comes, then the call fails once, and says why") {
  one<int> call;
  CHECK(call.taker.values(0, 1, encoded<char>({'x'}), call.due) == job_progress::settled);
  CHECK(code_of(call.to->failure) == errc::decode_failed);
  call.taker.finish({}, call.due);
  CHECK(call.taker.failure(0, problem("late"), call.due) == job_progress::settled);
  CHECK(call.to->times == 1);
}

TEST_CASE(
    "given a call that fails, when the job finishes early or not, then the reason is told once") {
  one<int> failed;
  CHECK(failed.taker.failure(0, problem("why"), failed.due) == job_progress::settled);
  failed.taker.finish(problem("other"), failed.due);
  CHECK(what_of(failed.to->failure) == "why");
  CHECK(failed.to->times == 1);

  one<int> ended;
  ended.taker.finish(problem("ended"), ended.due);
  CHECK(what_of(ended.to->failure) == "ended");
  CHECK(ended.to->times == 1);
}

TEST_CASE("given a call that returns nothing, when it is done, then the outcome is just that") {
  one<void> call;
  CHECK(call.taker.values(0, 1, {}, call.due) == job_progress::wants_more);
  call.taker.finish({}, call.due);
  CHECK(call.to->times == 1);
  CHECK_FALSE(call.to->failure);
}

TEST_CASE("given values in any order, when a map finishes, then they are in the input's") {
  all<int> numbers;
  CHECK(numbers.values<int>(4, {40, 50}) == job_progress::wants_more);
  CHECK(numbers.values<int>(0, {0}) == job_progress::wants_more);
  CHECK(numbers.values<int>(1, {10, 20, 30}) == job_progress::wants_more);
  CHECK(numbers.to->progress == std::vector<std::size_t>{2, 3, 6});
  numbers.taker.finish({}, numbers.due);
  CHECK(numbers.to->value == std::vector{0, 10, 20, 30, 40, 50});

  all<std::string> texts;
  texts.values<std::string>(1, {"b", "c"});
  texts.values<std::string>(0, {"a"});
  texts.taker.finish({}, texts.due);
  CHECK(texts.to->value == std::vector<std::string>{"a", "b", "c"});

  all<bool> flags;
  CHECK(flags.taker.values(1, 2, encoded<char>({1, 0}), flags.due) == job_progress::wants_more);
  CHECK(flags.taker.values(0, 1, encoded<char>({1}), flags.due) == job_progress::wants_more);
  flags.taker.finish({}, flags.due);
  CHECK(flags.to->value == std::vector{true, true, false});

  all<void> nothing;
  nothing.taker.values(0, 3, {}, nothing.due);
  nothing.taker.finish({}, nothing.due);
  CHECK(nothing.to->times == 1);
  CHECK(nothing.to->progress == std::vector<std::size_t>{3});
}

TEST_CASE("given a map of nothing, when it finishes, then the outcome is empty") {
  all<int> none;
  none.taker.finish({}, none.due);
  CHECK(none.to->times == 1);
  CHECK(none.to->value.empty());
}

TEST_CASE("given a failure amid a map, when more comes, then the first failure stays the outcome") {
  all<int> map;
  map.values<int>(0, {1, 2});
  CHECK(map.taker.failure(2, problem("first"), map.due) == job_progress::settled);
  CHECK(map.values<int>(3, {4}) == job_progress::settled);
  map.taker.failure(4, problem("second"), map.due);
  map.taker.finish({}, map.due);
  CHECK(map.to->times == 1);
  CHECK(what_of(map.to->failure) == "first");
}

TEST_CASE("given garbage amid a map, when it comes, then the map fails and nothing worse") {
  all<int> short_block;
  CHECK(short_block.taker.values(0, 2, encoded<char>({1, 2, 3}), short_block.due) ==
        job_progress::settled);
  CHECK(code_of(short_block.to->failure) == errc::decode_failed);

  all<bool> odd_flag;
  CHECK(odd_flag.taker.values(0, 1, encoded<char>({7}), odd_flag.due) == job_progress::settled);
  CHECK(code_of(odd_flag.to->failure) == errc::decode_failed);

  all<std::string> cut_off;
  const byte_buffer whole = encoded<std::string>({"one", "two"});
  for (std::size_t length = 0; length + 16 < whole.size(); ++length) {
    all<std::string> map;
    CHECK(map.taker.values(0, 2, whole.view().first(length), map.due) == job_progress::settled);
    CHECK(map.to->times == 1);
  }
}

TEST_CASE(
    "given a settled map, when values and failures come, then each is told, in the input's order") {
  each<int> map;
  CHECK(map.taker.failure(3, problem("three"), map.due) == job_progress::wants_more);
  CHECK(map.values<int>(1, {10, 20}) == job_progress::wants_more);
  CHECK(map.taker.failure(0, problem("zero"), map.due) == job_progress::wants_more);
  CHECK(map.to->progress == std::vector<std::size_t>{1, 3, 4});
  map.taker.finish({}, map.due);
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
  CHECK(map.taker.values(0, 3, bytes, map.due) == job_progress::wants_more);
  map.taker.finish({}, map.due);
  REQUIRE(map.to->value.size() == 3);
  CHECK(map.to->value[0].value() == "good");
  CHECK(code_of(map.to->value[1].error()) == errc::decode_failed);
  CHECK(map.to->value[2].value() == "good again");
}

TEST_CASE(
    "given a settled map that returns nothing, when an item fails, then the others have succeeded") {
  each<void> map;
  map.taker.values(0, 2, {}, map.due);
  map.taker.failure(2, problem("why"), map.due);
  map.taker.finish({}, map.due);
  REQUIRE(map.to->value.size() == 3);
  CHECK(map.to->value[0].has_value());
  CHECK(map.to->value[1].has_value());
  CHECK(map.to->value[2].has_error());
}

TEST_CASE("given a settled map, when it ends early, then the reason is its outcome") {
  each<int> map;
  map.values<int>(0, {1});
  map.taker.finish(problem("early"), map.due);
  CHECK(map.to->times == 1);
  CHECK(what_of(map.to->failure) == "early");
}

TEST_CASE(
    "given takers, when they are abandoned, then their receivers hear of it and get nothing") {
  one<int> call;
  call.taker.abandon();
  CHECK(call.to->abandoned);
  CHECK(call.to->times == 0);
  each<int> map;
  map.taker.abandon();
  CHECK(map.to->abandoned);
  all<int> failed;
  failed.taker.failure(0, problem("why"), failed.due);
  failed.taker.abandon();  // its receiver has had its outcome
  CHECK_FALSE(failed.to->abandoned);
}
