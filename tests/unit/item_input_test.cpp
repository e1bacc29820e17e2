// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>
#include <iterator>
#include <limits>
#include <list>
#include <memory>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/item_input.hpp>

namespace {

using namespace coterie::detail;

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

template <class Range>
item_input<Range> input_of(Range&& range) {
  return item_input<Range>{std::forward<Range>(range)};
}

/// The items in what was cut.
template <class T>
std::vector<T> items_in(std::span<const std::byte> bytes, std::size_t count) {
  if constexpr (raw_item<T>) check_raw_items(bytes, sizeof(T), count);
  std::vector<T> items;
  for (; count > 0; --count) {
    if constexpr (raw_item<T>) {
      items.push_back(take_item<T>(bytes));
    } else {
      items.push_back(coterie::decode<T>(take_item<T>(bytes)));
    }
  }
  return items;
}

/// Cuts once, and checks how many there were and whether the end is known.
template <class T, class Input>
std::vector<T> cut(Input& input, std::size_t most, bool exhausted) {
  byte_buffer out;
  const cut_result taken = input.cut({.most = most, .least = 1, .enough_bytes = no_limit}, out);
  CHECK(taken.exhausted == exhausted);
  return items_in<T>(out, taken.count);
}

/// What was done to a range.
struct record_of_use {
  int pulled = 0;
  int begun = 0;
  int throws_at = -1;         // when this item is looked at
  int throws_behind = -1;     // when this item is stepped over
  bool throws_first = false;  // in `begin`
};

/// Numbers from 0, read once, as a file is: a step forward reads the next one.
class counting_input {
 public:
  counting_input(record_of_use& use, int size) : use_{&use}, size_{size} {}

  class iterator {
   public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit iterator(counting_input& of) : of_{&of} {}
    int operator*() const {
      if (of_->at_ == of_->use_->throws_at) throw std::domain_error{"looked at"};
      return of_->at_;
    }
    iterator& operator++() {
      of_->step();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return of_->at_ == of_->size_; }

   private:
    counting_input* of_;
  };

  iterator begin() {
    if (use_->throws_first) throw std::domain_error{"begin"};
    ++use_->begun;
    ++use_->pulled;
    return iterator{*this};
  }
  static std::default_sentinel_t end() { return {}; }

 private:
  void step() {
    if (at_ == use_->throws_behind) throw std::domain_error{"stepped over"};
    ++at_;
    ++use_->pulled;
  }

  record_of_use* use_;
  int size_;
  int at_ = 0;
};
static_assert(std::ranges::input_range<counting_input>);
static_assert(!std::ranges::forward_range<counting_input>);

/// Refuses to be encoded when it is negative.
struct fussy {
  int value = 0;
  template <class Archive>
  void save(Archive& archive) const {
    if (value < 0) throw std::range_error{"negative: " + std::to_string(value)};
    archive(value);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(value);
  }
};

}  // namespace

TEST_CASE(
    "given numbers in one block, when they are cut, then each comes once and the end is known") {
  std::vector<int> numbers{1, 2, 3, 4, 5};
  auto input = input_of(numbers);
  CHECK(item_input<std::vector<int>&>::size_of(numbers) == 5);
  CHECK(cut<int>(input, 2, false) == std::vector{1, 2});
  CHECK(cut<int>(input, 2, false) == std::vector{3, 4});
  CHECK(cut<int>(input, 2, true) == std::vector{5});
  CHECK(cut<int>(input, 2, true).empty());
}

TEST_CASE("given an empty range, when it is cut, then nothing comes and the end is known") {
  std::vector<int> block;
  auto first = input_of(block);
  CHECK(cut<int>(first, 2, true).empty());
  std::list<std::string> texts;
  auto second = input_of(texts);
  CHECK(cut<std::string>(second, 2, true).empty());
  record_of_use use;
  auto third = input_of(counting_input{use, 0});
  CHECK(cut<int>(third, 2, true).empty());
}

TEST_CASE(
    "given texts in a list, when they are cut, then the last comes with the news of the end") {
  const std::list<std::string> texts{"one", "", std::string(1000, 'x')};
  auto input = input_of(texts);
  CHECK(cut<std::string>(input, 1, false) == std::vector<std::string>{"one"});
  CHECK(cut<std::string>(input, 2, true) == std::vector<std::string>{"", std::string(1000, 'x')});
}

TEST_CASE("given ranges of proxies and views, when they are cut, then values come") {
  std::vector<bool> flags{true, false, true};
  auto first = input_of(flags);
  CHECK(cut<bool>(first, 9, true) == flags);

  std::array<bool, 2> block{false, true};
  auto second = input_of(block);
  CHECK(cut<bool>(second, 9, true) == std::vector{false, true});

  std::vector<std::string_view> views{"a", "bc"};
  auto third = input_of(views);
  CHECK(cut<std::string>(third, 9, true) == std::vector<std::string>{"a", "bc"});

  auto squares = std::views::iota(1, 4) | std::views::transform([](int n) { return n * n; });
  auto fourth = input_of(squares);
  CHECK(cut<int>(fourth, 2, false) == std::vector{1, 4});
  CHECK(cut<int>(fourth, 2, true) == std::vector{9});

  int raw[] = {7, 8};
  auto fifth = input_of(std::span{raw});
  CHECK(cut<int>(fifth, 9, true) == std::vector{7, 8});
}

TEST_CASE("given a range that is moved in, when its variable changes, then the input does not") {
  std::list<std::string> texts{"one", "two"};
  auto input = input_of(std::move(texts));
  texts = {"three"};
  CHECK(cut<std::string>(input, 5, true) == std::vector<std::string>{"one", "two"});
}

TEST_CASE(
    "given a range that can be read once, when it is cut, then no more is pulled than wanted") {
  record_of_use use;
  counting_input range{use, 5};
  CHECK_FALSE(item_input<counting_input>::size_of(range).has_value());
  auto input = input_of(std::move(range));
  CHECK(use.begun == 0);
  CHECK(cut<int>(input, 2, false) == std::vector{0, 1});
  CHECK(use.pulled == 2);
  CHECK(cut<int>(input, 3, false) == std::vector{2, 3, 4});
  CHECK(use.pulled == 5);
  CHECK(cut<int>(input, 3, true).empty());
  CHECK(use.begun == 1);
}

TEST_CASE("given a limit of bytes, when items are cut, then it is kept, but one always comes") {
  byte_buffer out;
  std::vector<int> numbers(100, 1);
  auto block = input_of(numbers);
  CHECK(block.cut({.most = 50, .least = 1, .enough_bytes = 10 * sizeof(int)}, out).count == 10);
  out.clear();
  CHECK(block.cut({.most = 50, .least = 1, .enough_bytes = 1}, out).count == 1);
  out.clear();
  CHECK(block.cut({.most = 50, .least = 1, .enough_bytes = 0}, out).count == 1);

  const std::list<std::string> texts(10, std::string(1000, 'x'));
  auto records = input_of(texts);
  out.clear();
  CHECK(records.cut({.most = 50, .least = 1, .enough_bytes = 2500}, out).count == 3);
  out.clear();
  CHECK(records.cut({.most = 50, .least = 1, .enough_bytes = 1}, out).count == 1);
}

TEST_CASE("given a range that throws in begin, when it is cut, then the cut throws") {
  record_of_use use{.throws_first = true};
  auto input = input_of(counting_input{use, 5});
  byte_buffer out;
  CHECK_THROWS_AS(input.cut({.most = 2, .least = 1, .enough_bytes = no_limit}, out),
                  std::domain_error);
}

TEST_CASE("given a range that throws at its first item, when it is cut, then the cut throws") {
  record_of_use use{.throws_at = 0};
  auto input = input_of(counting_input{use, 5});
  byte_buffer out;
  CHECK_THROWS_AS(input.cut({.most = 2, .least = 1, .enough_bytes = no_limit}, out),
                  std::domain_error);
}

TEST_CASE("given a range that throws midway, when it is cut, then what came before comes first") {
  record_of_use use;
  SECTION("looking at an item") { use.throws_at = 3; }
  SECTION("stepping over one") { use.throws_behind = 2; }
  auto input = input_of(counting_input{use, 5});
  CHECK(cut<int>(input, 2, false) == std::vector{0, 1});
  CHECK(cut<int>(input, 2, false) == std::vector{2});
  byte_buffer out;
  CHECK_THROWS_AS(input.cut({.most = 2, .least = 1, .enough_bytes = no_limit}, out),
                  std::domain_error);
  CHECK(out.empty());
}

TEST_CASE(
    "given a filter that throws midway, when numbers are cut, then those before it come whole") {
  std::vector<int> numbers{1, 2, 3, 4, 5};
  auto odd = numbers | std::views::filter([](int n) {
               if (n == 4) throw std::domain_error{"four"};
               return n % 2 == 1;
             });
  auto input = input_of(odd);
  byte_buffer out;
  const cut_result taken = input.cut({.most = 10, .least = 1, .enough_bytes = no_limit}, out);
  CHECK(taken.count == 2);
  CHECK_FALSE(taken.exhausted);
  CHECK(out.size() == taken.count * sizeof(int));
  CHECK(items_in<int>(out, 2) == std::vector{1, 3});
  CHECK_THROWS_AS(input.cut({.most = 10, .least = 1, .enough_bytes = no_limit}, out),
                  std::domain_error);
}

TEST_CASE("given an item that cannot be encoded, when it is cut, then only it has no record") {
  const std::vector<fussy> items{{1}, {-2}, {3}, {-4}};
  auto input = input_of(items);
  byte_buffer out;
  CHECK(input.cut({.most = 3, .least = 1, .enough_bytes = no_limit}, out).count == 3);
  std::span<const std::byte> rest = out;
  CHECK(coterie::decode<fussy>(take_record(rest)).value == 1);
  CHECK(take_record(rest).data() == nullptr);
  CHECK(coterie::decode<fussy>(take_record(rest)).value == 3);

  out.clear();
  const cut_result last = input.cut({.most = 3, .least = 1, .enough_bytes = no_limit}, out);
  CHECK(last.count == 1);
  CHECK(last.exhausted);
  CHECK_FALSE(input.take_error(0));
  const std::exception_ptr second = input.take_error(1);
  REQUIRE(second);
  CHECK_THROWS_WITH(std::rethrow_exception(second), "negative: -2");
  CHECK_FALSE(input.take_error(1));
  CHECK_THROWS_WITH(std::rethrow_exception(input.take_error(3)), "negative: -4");
}

TEST_CASE("given a lvalue range, when items are cut, then it is not copied") {
  struct watched : std::vector<int> {
    watched() : std::vector<int>{1, 2, 3} {}
    watched(const watched&) = delete;
    watched(watched&&) = delete;
  } range;
  auto input = input_of(range);
  CHECK(cut<int>(input, 3, true) == std::vector{1, 2, 3});
}
