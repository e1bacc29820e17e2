// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstring>
#include <limits>
#include <thread>

#include <catch2/catch.hpp>

#include "codec_samples.hpp"

using namespace samples;
using namespace std::chrono_literals;
using coterie::decode;
using coterie::detail::block_copyable;
using coterie::detail::byte_buffer;

TEST_CASE("given scalars, when they travel, then they arrive as they were") {
  CHECK(round_trip(true) == true);
  CHECK(round_trip('c') == 'c');
  CHECK(round_trip(std::numeric_limits<std::int64_t>::min()) ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(round_trip(1.5F) == 1.5F);
  CHECK(round_trip(0.1L) == 0.1L);
  CHECK(round_trip(colour::blue) == colour::blue);
  CHECK(round_trip(answer::yes) == answer::yes);
  CHECK(round_trip(std::complex<double>(1, 2)) == std::complex<double>(1, 2));
  CHECK(round_trip(123ns) == 123ns);
  CHECK(round_trip(std::chrono::duration<double>(0.5)).count() == 0.5);
  const auto now = std::chrono::system_clock::now();
  CHECK(round_trip(now) == now);
}

TEST_CASE("given texts and paths, when they travel, then they arrive as what owns them") {
  CHECK(round_trip(std::string("a\0b", 3)) == std::string("a\0b", 3));
  CHECK(round_trip(std::string()).empty());
  CHECK(round_trip("literal") == "literal");
  CHECK(round_trip(std::string_view("view")) == "view");
  CHECK(round_trip(std::wstring(L"wide")) == L"wide");
  CHECK(round_trip(std::u16string(u"wide")) == u"wide");
  CHECK(round_trip(std::filesystem::path("/some/where")) == "/some/where");
  STATIC_REQUIRE(std::is_same_v<coterie::travel_t<const char(&)[4]>, std::string>);
  STATIC_REQUIRE(std::is_same_v<coterie::travel_t<std::string_view&&>, std::string>);
  STATIC_REQUIRE(std::is_same_v<coterie::travel_t<std::span<const int, 3>>, std::vector<int>>);
  STATIC_REQUIRE(std::is_same_v<coterie::travel_t<const person&>, person>);
}

TEST_CASE("given standard containers, when they travel, then they arrive equal") {
  using strings = std::vector<std::string>;
  const strings words{"b", "", "a", "b", std::string(300, 'x')};
  CHECK(round_trip(words) == words);
  CHECK(round_trip(std::vector<bool>{true, false, true, true, false, true, true, false, true}) ==
        std::vector<bool>{true, false, true, true, false, true, true, false, true});
  CHECK(round_trip(std::vector<nothing>(5)).size() == 5);
  CHECK(round_trip(std::vector<nothing>(100'000)).size() == 100'000);
  CHECK(round_trip(std::vector<std::vector<int>>{{1}, {}, {2, 3}}) ==
        std::vector<std::vector<int>>{{1}, {}, {2, 3}});
  CHECK(round_trip(std::array<std::string, 2>{"x", "y"}) == std::array<std::string, 2>{"x", "y"});
  CHECK(round_trip(std::array<int, 0>{}).empty());
  CHECK(round_trip(std::deque<int>{1, 2}) == std::deque<int>{1, 2});
  CHECK(round_trip(std::list<std::string>{"x"}) == std::list<std::string>{"x"});
  CHECK(round_trip(std::forward_list<int>{1, 2}) == std::forward_list<int>{1, 2});
  CHECK(round_trip(std::set<std::string>(words.begin(), words.end())).size() == 4);
  CHECK(round_trip(std::multiset<int>{2, 1, 2}) == std::multiset<int>{1, 2, 2});
  CHECK(round_trip(std::unordered_set<int>{1, 2}) == std::unordered_set<int>{1, 2});
  CHECK(round_trip(std::map<int, strings>{{1, words}, {2, {}}}) ==
        std::map<int, strings>{{1, words}, {2, {}}});
  CHECK(round_trip(std::multimap<int, int>{{1, 2}, {1, 3}}) ==
        std::multimap<int, int>{{1, 2}, {1, 3}});
  CHECK(round_trip(std::unordered_map<std::string, int>{{"x", 1}}) ==
        std::unordered_map<std::string, int>{{"x", 1}});
  CHECK(round_trip(std::unordered_multimap<int, int>{{1, 2}, {1, 2}}).size() == 2);
  CHECK(round_trip(std::bitset<70>(5)) == std::bitset<70>(5));
  CHECK(round_trip(std::queue<int>({1, 2})) == std::queue<int>({1, 2}));
  CHECK(round_trip(std::stack<int>({1, 2})) == std::stack<int>({1, 2}));
  std::priority_queue<int> heap;
  heap.push(1);
  heap.push(3);
  CHECK(round_trip(heap).top() == 3);
}

TEST_CASE("given sums and products, when they travel, then they arrive equal") {
  CHECK(round_trip(std::tuple<int, std::string, bool>{1, "x", true}) ==
        std::tuple<int, std::string, bool>{1, "x", true});
  CHECK(round_trip(std::tuple<>()) == std::tuple<>());
  CHECK(round_trip(std::pair<std::string, int>{"x", 1}) == std::pair<std::string, int>{"x", 1});
  CHECK(round_trip(std::optional<std::string>()) == std::nullopt);
  CHECK(round_trip(std::optional<std::string>("x")) == "x");
  using either = std::variant<std::monostate, int, std::string>;
  CHECK(round_trip(either()) == either());
  CHECK(round_trip(either("x")) == either("x"));
  CHECK(round_trip(std::monostate()) == std::monostate());
}

TEST_CASE("given plain aggregates, when they travel, then no code of theirs is needed") {
  CHECK(round_trip(point{1, 2}) == point{1, 2});
  CHECK(round_trip(nothing()) == nothing());
  CHECK(round_trip(person{"x", 1, true, "y"}) == person{"x", 1, true, "y"});
  const arrays some{{{1, 2, 3}, {4, 5, 6}}, "label", {"one", "two"}, 9};
  CHECK(round_trip(some) == some);
  CHECK(round_trip(some_company()) == some_company());

  const tree arrived = round_trip(some_tree());
  REQUIRE(arrived.children.size() == 2);
  CHECK(arrived.children[1].other->value == 4);
  CHECK(arrived.other != nullptr);
  CHECK(arrived.children[0].other == nullptr);
}

TEST_CASE("given cereal functions of each form, when values travel, then those are used") {
  CHECK(round_trip(account("x", 5)) == account("x", 5));
  CHECK(round_trip(std::map<int, account>{{1, {"x", 5}}}).at(1) == account("x", 5));
  CHECK(round_trip(hidden(4)).value() == 4);
  CHECK(round_trip(doubled{4}).value == 8);
  CHECK(round_trip(minimal{45}).value == 45);
  CHECK(round_trip(std::vector<versioned>{{1, 0}, {2, 0}})[1].value == 2);
  CHECK(round_trip(versioned{1, 0}).version == 7);
  const auto arrived = round_trip(derived_from_aggregate({1, 2}, 3));
  CHECK(static_cast<const point&>(arrived) == point{1, 2});
  CHECK(arrived.extra == 3);
}

TEST_CASE("given smart pointers, when they travel, then what they own does") {
  CHECK(*round_trip(std::make_unique<person>(person{"x", 1, true, {}})) ==
        person{"x", 1, true, {}});
  CHECK(round_trip(std::unique_ptr<int>()) == nullptr);
  CHECK(*round_trip(std::make_unique<account>("x", 5)) == account("x", 5));
  CHECK(round_trip(std::make_unique<celsius>(21.5))->degrees == 21.5);
  CHECK(round_trip(std::make_shared<celsius>(21.5))->degrees == 21.5);
  CHECK(*round_trip(std::make_shared<const int>(5)) == 5);
  CHECK(round_trip(std::shared_ptr<person>()) == nullptr);
}

TEST_CASE("given two pointers to one object, when they travel, then they still share it") {
  const auto shared = std::make_shared<person>(person{"x", 1, true, {}});
  const auto arrived = round_trip(std::vector{shared, std::make_shared<person>(), shared});
  CHECK(arrived[0] == arrived[2]);
  CHECK(arrived[0] != arrived[1]);
  CHECK(*arrived[0] == *shared);
  const auto [strong, weak] =
      round_trip(std::pair<std::shared_ptr<person>, std::weak_ptr<person>>(shared, shared));
  CHECK(weak.lock() == strong);
}

TEST_CASE(
    "given registered polymorphic types, when pointers travel, then objects keep their type") {
  std::vector<std::shared_ptr<shape>> shapes{std::make_shared<square>(2.0), nullptr,
                                             std::make_shared<square>(3.0)};
  shapes.push_back(shapes[0]);
  const auto arrived = round_trip(shapes);
  CHECK(arrived[2]->area() == 9.0);
  CHECK(arrived[0] == arrived[3]);
  CHECK(round_trip(std::unique_ptr<shape>(std::make_unique<square>(4.0)))->area() == 16.0);
}

TEST_CASE("given raw values, when many travel, then they are one aligned block") {
  STATIC_REQUIRE(block_copyable<point>);
  STATIC_REQUIRE(block_copyable<std::array<std::complex<float>, 3>>);
  STATIC_REQUIRE(block_copyable<std::chrono::nanoseconds>);
  STATIC_REQUIRE(!block_copyable<bool>);
  STATIC_REQUIRE(!block_copyable<answer>);
  STATIC_REQUIRE(!block_copyable<person>);
  STATIC_REQUIRE(!block_copyable<int*>);
  STATIC_REQUIRE(!block_copyable<doubled>);

  const std::vector<point> points{{1, 2}, {3, 4}};
  CHECK(encoded(points).size() == 8 + 2 * sizeof(point));
  CHECK(round_trip(points) == points);
  CHECK(round_trip(std::span(points)) == points);
  CHECK(round_trip(std::span<const point, 2>(points)) == points);
  const std::pair<char, std::vector<double>> odd{'x', {1, 2}};
  CHECK(encoded(odd).size() == 1 + 8 + 7 + 16);
  CHECK(round_trip(odd) == odd);
  CHECK(round_trip(std::vector<double>()).empty());
}

TEST_CASE("given texts and blocks, when decoded as views, then they point into the message") {
  const std::vector<double> numbers{1, 2, 3};
  const auto message =
      encoded(std::tuple<char, std::string, std::vector<double>>{'x', "abc", numbers});
  const auto [letter, text, view] =
      decode<std::tuple<char, std::string_view, std::span<const double>>>(message);
  const auto inside = [&](const void* at) {
    return std::less_equal<>()(message.data(), static_cast<const std::byte*>(at)) &&
           std::less<>()(static_cast<const std::byte*>(at), message.data() + message.size());
  };
  CHECK(text == "abc");
  CHECK(std::ranges::equal(view, numbers));
  CHECK(inside(text.data()));
  CHECK(inside(view.data()));

  STATIC_REQUIRE(coterie::detail::holds_view<std::vector<std::optional<std::string_view>>>);
  STATIC_REQUIRE(!coterie::detail::holds_view<person>);
}

TEST_CASE("given what views were made of, when encoded as views, then the bytes are the same") {
  const std::string text = "text";
  const std::vector<int> numbers{1, 2, 3};
  const auto same = [](const byte_buffer& a, const byte_buffer& b) {
    return std::ranges::equal(a.view(), b.view());
  };
  CHECK(same(encoded(text), encoded(std::string_view(text))));
  CHECK(same(encoded(text), encoded("text")));
  CHECK(same(encoded(numbers), encoded(std::span(numbers))));
}

TEST_CASE("given a buffer with content, when a value is appended, then it aligns from its start") {
  byte_buffer message;
  message.append("12345", 5);
  coterie::encode(message, std::vector<double>{1, 2});
  CHECK(decode<std::vector<double>>(message.view().subspan(5)) == std::vector<double>{1, 2});
}

TEST_CASE("given functions that are slow to register, when threads encode, then they do not race") {
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int k = 0; k < 200; ++k) {
        round_trip(versioned{1, 0});
        round_trip(std::shared_ptr<shape>(std::make_shared<square>(2.0)));
      }
    });
  }
}

TEST_CASE("given types, when asked, then encodable tells whether they travel") {
  STATIC_REQUIRE(coterie::encodable<company>);
  STATIC_REQUIRE(coterie::encodable<const tree&>);
  STATIC_REQUIRE(coterie::encodable<std::unique_ptr<shape>>);
  STATIC_REQUIRE(coterie::encodable<std::unique_ptr<celsius>>);
  STATIC_REQUIRE(!coterie::encodable<celsius>);
  STATIC_REQUIRE(!coterie::encodable<std::vector<celsius>>);
  STATIC_REQUIRE(!coterie::encodable<shape>);
  STATIC_REQUIRE(!coterie::encodable<int*>);
  STATIC_REQUIRE(!coterie::encodable<std::map<int, std::vector<const char*>>>);
  STATIC_REQUIRE(!coterie::encodable<std::reference_wrapper<int>>);
  STATIC_REQUIRE(!coterie::encodable<int (*)()>);
  STATIC_REQUIRE(!coterie::encodable<std::unique_ptr<int[]>>);
  STATIC_REQUIRE(!coterie::encodable<std::thread>);
  STATIC_REQUIRE(!coterie::encodable<void>);
}
