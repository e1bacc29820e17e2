// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <forward_list>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"

namespace asio = boost::asio;

namespace {

int square(int number) { return number * number; }

std::size_t length(const std::string& text) { return text.size(); }

// Counts how often one of its kind was copied, in this process.
class counted {
 public:
  counted() = default;
  explicit counted(int number) : number_{number} {}
  counted(const counted& other) : number_{other.number_} { ++copies; }
  counted(counted&&) = default;
  counted& operator=(const counted& other) {
    if (this != &other) number_ = other.number_;
    ++copies;
    return *this;
  }
  counted& operator=(counted&&) = default;
  ~counted() = default;

  [[nodiscard]] int number() const { return number_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(number_);
  }

  static inline int copies = 0;

 private:
  int number_ = 0;
};

int number_of(const counted& given) { return given.number(); }

// Can be read once, from front to back, and fails where it is told to.
class one_way {
 public:
  enum class failure { none, begin, dereference, increment, compare };

  explicit one_way(int end, failure how = failure::none, int where = -1)
      : end_{end}, how_{how}, where_{where} {}

  class iterator {
   public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit iterator(one_way* from) : from_{from} {}
    iterator(iterator&&) = default;
    iterator& operator=(iterator&&) = default;
    iterator(const iterator&) = delete;
    iterator& operator=(const iterator&) = delete;
    ~iterator() = default;

    int operator*() const {
      from_->fail_at(failure::dereference);
      return from_->at_;
    }
    iterator& operator++() {
      from_->fail_at(failure::increment);
      ++from_->at_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const {
      from_->fail_at(failure::compare);
      return from_->at_ == from_->end_;
    }

   private:
    one_way* from_;
  };

  iterator begin() {
    fail_at(failure::begin);
    return iterator{this};
  }
  [[nodiscard]] std::default_sentinel_t end() const { return std::default_sentinel; }

 private:
  void fail_at(failure what) const {
    if (how_ == what && at_ == where_) throw std::length_error{"the input"};
  }

  int end_;
  failure how_;
  int where_;
  int at_ = 0;
};

// One, two and three, changeable, constant and moved in.
template <class Range>
asio::awaitable<void> gives_squares(coterie::pool& pool, Range items) {
  const std::vector<int> expected{1, 4, 9};
  const auto of_changeable = co_await pool.map(square, items);
  CHECK(of_changeable == expected);
  const auto of_constant = co_await pool.map(square, std::as_const(items));
  CHECK(of_constant == expected);
  const auto of_moved = co_await pool.map(square, std::move(items));
  CHECK(of_moved == expected);
}

static_assert(std::ranges::input_range<one_way> && !std::ranges::forward_range<one_way>);

}  // namespace

TEST_CASE("given an lvalue, when mapped, then it is borrowed: not one item is copied or changed") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::vector<counted> items;
    items.reserve(100);
    for (int number = 0; number < 100; ++number) items.emplace_back(number);
    counted::copies = 0;
    const auto numbers = co_await pool.map(number_of, items);
    CHECK(numbers.size() == 100);
    CHECK(counted::copies == 0);
    CHECK(items.size() == 100);
    CHECK(items[99].number() == 99);

    auto stream = pool.imap(number_of, items);
    const auto again = co_await test::drain(stream);
    CHECK(again == numbers);
    CHECK(counted::copies == 0);
  });
}

TEST_CASE("given an rvalue, when mapped, then it is moved in: not one item is copied") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::vector<counted> items;
    items.reserve(100);
    for (int number = 0; number < 100; ++number) items.emplace_back(number);
    counted::copies = 0;
    const auto numbers = co_await pool.map(number_of, std::move(items));
    CHECK(numbers.size() == 100);
    CHECK(counted::copies == 0);
  });
}

TEST_CASE("given a temporary, when the call outlives the expression, then it is still there") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto pending = pool.map_async(length, std::vector<std::string>{"a", "bb", "ccc"});
    auto stream = pool.imap(length, std::list<std::string>{"a", "bb", "ccc"});
    const auto lengths = co_await pending.get();
    CHECK(lengths == std::vector<std::size_t>{1, 2, 3});
    const auto streamed = co_await test::drain(stream);
    CHECK(streamed == lengths);
  });
}

TEST_CASE("given every container, when mapped, then its items are the arguments") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::array<int, 3> three{1, 2, 3};
    co_await gives_squares(pool, three);
    co_await gives_squares(pool, std::vector<std::int8_t>(three.begin(), three.end()));
    co_await gives_squares(pool, std::deque<int>(three.begin(), three.end()));
    co_await gives_squares(pool, std::list<int>(three.begin(), three.end()));
    co_await gives_squares(pool, std::forward_list<int>(three.begin(), three.end()));
    co_await gives_squares(pool, std::set<int>(three.begin(), three.end()));

    const std::vector<int> expected{1, 4, 9};
    const int array[]{1, 2, 3};
    const auto of_array = co_await pool.map(square, array);
    CHECK(of_array == expected);
    const std::span<const int> span{array};
    const auto of_span = co_await pool.map(square, span);
    CHECK(of_span == expected);
    const auto letters =
        co_await pool.map([](char each) { return each == 'l'; }, std::string_view{"hello"});
    CHECK(letters == std::vector<bool>{false, false, true, true, false});
  });
}

TEST_CASE("given views, when mapped, then they are read as they stand") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<int> numbers{5, 6, 7, 8};
    const auto odd = [](int number) { return number % 2 != 0; };
    const auto filtered = co_await pool.map(square, numbers | std::views::filter(odd));
    CHECK(filtered == std::vector<int>{25, 49});
    const auto taken = co_await pool.map(square, std::views::iota(1) | std::views::take(4));
    CHECK(taken == std::vector<int>{1, 4, 9, 16});
    const auto reversed = co_await pool.map(square, numbers | std::views::reverse);
    CHECK(reversed == std::vector<int>{64, 49, 36, 25});
    const auto until = co_await pool.map(
        square, std::views::iota(0) | std::views::take_while([](int each) { return each < 3; }));
    CHECK(until == std::vector<int>{0, 1, 4});
    const auto single = co_await pool.map(square, std::views::single(3));
    CHECK(single == std::vector<int>{9});
    const auto none = co_await pool.map(square, std::views::empty<int>);
    CHECK(none.empty());
    const std::vector<std::vector<int>> nested{{1, 2}, {}, {3}};
    const auto joined = co_await pool.map(square, nested | std::views::join);
    CHECK(joined == std::vector<int>{1, 4, 9});
    const std::map<std::string, int> ages{{"a", 2}, {"b", 3}};
    const auto values = co_await pool.map(square, ages | std::views::values);
    CHECK(values == std::vector<int>{4, 9});
    const auto keys = co_await pool.map(length, ages | std::views::keys);
    CHECK(keys == std::vector<std::size_t>{1, 1});
    auto computed = std::views::iota(0, 3) |
                    std::views::transform([](int each) { return std::string(each, 'x'); });
    const auto lengths = co_await pool.map(length, computed);
    CHECK(lengths == std::vector<std::size_t>{0, 1, 2});
  });
}

TEST_CASE("given text that is a view, when mapped, then strings travel") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::string_view> words{"one", "three"};
    const auto lengths = co_await pool.map(length, words);
    CHECK(lengths == std::vector<std::size_t>{3, 5});
    const auto viewed = co_await pool.map([](std::string_view word) { return word.back(); }, words);
    CHECK(viewed == std::vector<char>{'e', 'e'});
  });
}

TEST_CASE("given a stream of words, when mapped, then it is read to its end") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::istringstream text{"10 20 30 40"};
    const auto squares = co_await pool.map(square, std::ranges::istream_view<int>(text));
    CHECK(squares == std::vector<int>{100, 400, 900, 1600});
    std::istringstream words{"a bb ccc"};
    auto lengths = pool.imap(length, std::ranges::istream_view<std::string>(words));
    const auto all = co_await test::drain(lengths);
    CHECK(all == std::vector<std::size_t>{1, 2, 3});
  });
}

TEST_CASE("given a directory, when its entries are mapped, then paths travel") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto paths = std::filesystem::directory_iterator{"/proc/self/task"} |
                 std::views::transform([](const auto& entry) { return entry.path(); });
    const auto names = co_await pool.map(
        [](const std::filesystem::path& path) { return path.filename().string(); },
        std::move(paths));
    CHECK_FALSE(names.empty());
  });
}

TEST_CASE("given a vector of bool, when mapped, then its items are bools") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<bool> flags{true, false, true};
    const auto turned = co_await pool.map([](bool flag) { return !flag; }, flags);
    CHECK(turned == std::vector<bool>{false, true, false});
    std::vector<bool> changeable = flags;
    const auto again = co_await pool.map([](bool flag) { return flag ? 1 : 0; }, changeable);
    CHECK(again == std::vector<int>{1, 0, 1});
  });
}

TEST_CASE("given move-only items, when mapped, then they travel, borrowed or moved in") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::vector<std::unique_ptr<int>> items;
    for (int number = 0; number < 5; ++number) items.push_back(std::make_unique<int>(number));
    const auto value = [](const std::unique_ptr<int>& item) { return *item; };
    const auto borrowed = co_await pool.map(value, items);
    CHECK(borrowed == std::vector<int>{0, 1, 2, 3, 4});
    REQUIRE(items[4] != nullptr);
    const auto boxed = co_await pool.map(
        [](std::unique_ptr<int> item) {
          *item += 1;
          return item;
        },
        std::move(items));
    REQUIRE(boxed.size() == 5);
    CHECK(*boxed[4] == 5);
  });
}

TEST_CASE("given a map, when its items are pairs, then they are arguments") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::map<std::string, int> counts{{"x", 2}, {"y", 3}};
    const auto sums = co_await pool.starmap(
        [](std::string_view word, int count) {
          return word.size() + static_cast<std::size_t>(count);
        },
        counts);
    CHECK(sums == std::vector<std::size_t>{3, 4});
    const auto whole = co_await pool.map(
        [](const std::pair<std::string, int>& entry) { return entry.second; }, counts);
    CHECK(whole == std::vector<int>{2, 3});
  });
}

TEST_CASE("given a range that is read once, when mapped, then each item is read once") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (const std::size_t chunksize : {0, 1, 3, 10, 11}) {
      one_way ten{10};
      const auto squares = co_await pool.map(square, ten, {.chunksize = chunksize});
      CHECK(squares == std::vector<int>{0, 1, 4, 9, 16, 25, 36, 49, 64, 81});
      auto stream = pool.imap(square, one_way{10}, {.chunksize = chunksize});
      const auto streamed = co_await test::drain(stream);
      CHECK(streamed == squares);
    }
  });
}

TEST_CASE("given an iterator that throws, when mapped, then the call fails and the pool does not") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    using failure = one_way::failure;
    for (const auto how :
         {failure::begin, failure::dereference, failure::increment, failure::compare}) {
      for (const int where : {0, 1, 7, 9}) {
        if (how == failure::begin && where != 0) continue;
        for (const std::size_t chunksize : {0, 1, 4, 100}) {
          INFO(static_cast<int>(how) << " at " << where << " in chunks of " << chunksize);
          const auto problem = co_await test::failure_of(
              pool.map(square, one_way{10, how, where}, {.chunksize = chunksize}));
          CHECK(test::as<std::length_error>(problem).what() == std::string{"the input"});
          CHECK(coterie::get_remote_info(problem) == nullptr);

          auto stream = pool.imap(square, one_way{10, how, where}, {.chunksize = chunksize});
          // What was read before the failure still comes.
          const int before = how == failure::increment ? where + 1 : where;
          for (int number = 0; number < before; ++number) {
            const auto next = co_await stream.next();
            REQUIRE(next == square(number));
          }
          const auto end = co_await test::failure_of(stream.next());
          CHECK(test::as<std::length_error>(end).what() == std::string{"the input"});
          const auto nothing = co_await stream.next();
          CHECK_FALSE(nothing.has_value());
        }
      }
    }
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
    CHECK(pool.stats().jobs_pending == 0);
  });
}

TEST_CASE("given an input that throws something strange, when mapped, then just that comes out") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto strange = std::views::iota(0, 10) | std::views::transform([](int number) {
                     if (number == 5) throw 42;
                     return number;
                   });
    const auto problem = co_await test::failure_of(pool.map(square, strange));
    CHECK_THROWS_AS(std::rethrow_exception(problem), int);
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
  });
}
