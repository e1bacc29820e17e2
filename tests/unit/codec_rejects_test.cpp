// SPDX-License-Identifier: BSL-1.0
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>
#include <string_view>

#include <catch2/catch.hpp>

#include "codec_samples.hpp"
#include "support/sanitized.hpp"

using namespace samples;
using coterie::decode;
using coterie::decode_error;
using coterie::detail::byte_buffer;

namespace {
thread_local std::size_t allocated_bytes = 0;
}

// Counted, because a lie about a size must not become an allocation; sanitizers have operators of
// their own. Not inlined, because g++ then takes malloc and operator delete for a mismatch.
#ifndef COTERIE_TEST_SANITIZED

[[gnu::noinline]] void* operator new(std::size_t size) {
  allocated_bytes += size;
  if (void* const made = std::malloc(size)) return made;
  throw std::bad_alloc();
}

[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  allocated_bytes += size;
  return std::malloc(size);
}

[[gnu::noinline]] void operator delete(void* pointer) noexcept { std::free(pointer); }
[[gnu::noinline]] void operator delete(void* pointer, std::size_t) noexcept { std::free(pointer); }

#endif

namespace {

using bytes = std::vector<std::byte>;

// Exactly as long as the message, so that a sanitizer sees each read beyond its end.
bytes message_of(const auto& value) {
  const byte_buffer encoded = samples::encoded(value);
  return {encoded.data(), encoded.data() + encoded.size()};
}

enum class outcome { decoded, refused, absurd };

template <class T>
outcome try_to_decode(const bytes& message) {
  allocated_bytes = 0;
  outcome what = outcome::decoded;
  try {
    const T value = decode<T>(message);
    // Touches every byte of the value: what must not be in it would be noticed.
    samples::encoded(value);
  } catch (const std::exception&) {
    what = outcome::refused;
  }
  return allocated_bytes > message.size() * 100 + 4'000'000 ? outcome::absurd : what;
}

template <class T>
void check_rejections(const T& value) {
  const bytes whole = message_of(value);
  REQUIRE(try_to_decode<T>(whole) == outcome::decoded);

  std::size_t wrong = 0;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    if (try_to_decode<T>(cut) != outcome::refused) ++wrong;
  }
  CHECK(wrong == 0);

  bytes longer = whole;
  longer.push_back(std::byte{0});
  CHECK(try_to_decode<T>(longer) == outcome::refused);

  std::size_t absurd = 0;
  for (std::size_t place = 0; place < whole.size(); ++place) {
    for (const unsigned change : {1U, 2U, 4U, 8U, 16U, 32U, 64U, 128U, 255U, 127U, 3U}) {
      bytes corrupt = whole;
      corrupt[place] ^= static_cast<std::byte>(change);
      if (try_to_decode<T>(corrupt) == outcome::absurd) ++absurd;
    }
  }
  CHECK(absurd == 0);
}

template <class T>
std::string refusal(const bytes& message) {
  try {
    static_cast<void>(decode<T>(message));
  } catch (const decode_error& problem) {
    return problem.what();
  }
  return "accepted";
}

bytes raw(const auto&... parts) {
  bytes made;
  const auto add = [&](const auto& part) {
    const auto* const start = reinterpret_cast<const std::byte*>(&part);
    made.insert(made.end(), start, start + sizeof part);
  };
  (add(parts), ...);
  return made;
}

}  // namespace

TEST_CASE("given messages of plain values, when cut or corrupted, then no harm is done") {
  check_rejections(std::int64_t{5});
  check_rejections(true);
  check_rejections(answer::yes);
  check_rejections(std::string("some text"));
  check_rejections(point{1, 2});
  check_rejections(nothing());
  check_rejections(std::filesystem::path("/some/where"));
}

TEST_CASE("given messages of containers, when cut or corrupted, then no harm is done") {
  check_rejections(std::vector<std::string>{"one", "", "three"});
  check_rejections(std::vector<double>{1, 2, 3});
  check_rejections(std::vector<bool>{true, false, true, true, true, false, true, true, true});
  check_rejections(std::vector<nothing>(3));
  check_rejections(std::vector<std::vector<std::vector<int>>>{{{1}, {2}}, {}, {{3, 4}}});
  check_rejections(std::deque<std::string>{"one", "two"});
  check_rejections(std::list<int>{1, 2});
  check_rejections(std::forward_list<int>{1, 2});
  check_rejections(std::set<std::string>{"one", "two"});
  check_rejections(std::unordered_map<std::string, int>{{"one", 1}, {"two", 2}});
  check_rejections(std::map<int, std::vector<point>>{{1, {{1, 2}}}, {2, {}}});
  check_rejections(std::wstring(L"wide"));
  check_rejections(std::bitset<70>(5));
  check_rejections(std::queue<int>({1, 2}));
}

TEST_CASE("given messages of sums and products, when cut or corrupted, then no harm is done") {
  check_rejections(std::tuple<int, std::string, bool>{1, "x", true});
  check_rejections(std::optional<std::vector<int>>({1, 2}));
  check_rejections(std::variant<int, std::string, std::monostate>("text"));
  check_rejections(some_company());
  check_rejections(some_tree());
  check_rejections(arrays{{{1, 2, 3}, {4, 5, 6}}, "label", {"one", "two"}, 9});
}

TEST_CASE("given messages through cereal functions, when cut or corrupted, then no harm is done") {
  check_rejections(std::vector<account>{{"x", 5}, {"y", 6}});
  check_rejections(std::vector<versioned>{{1, 0}, {2, 0}});
  check_rejections(minimal{45});
  check_rejections(std::vector<doubled>{{1}, {2}});
  check_rejections(std::make_unique<celsius>(1.5));
  check_rejections(std::make_shared<celsius>(1.5));
  const auto shared = std::make_shared<std::string>("shared by two");
  check_rejections(std::vector{shared, shared, std::make_shared<std::string>()});
  const std::shared_ptr<shape> polymorphic = std::make_shared<square>(2.0);
  check_rejections(std::vector{polymorphic, polymorphic});
}

TEST_CASE("given views, when the message is cut or corrupted, then no harm is done") {
  check_rejections(std::string_view("some text"));
  const std::vector<std::int32_t> numbers{1, 2, 3};
  check_rejections(std::span<const std::int32_t>(numbers));
}

TEST_CASE("given a message that stands askew, when decoded as a view, then it is refused") {
  const bytes whole = message_of(std::vector<double>{1, 2});
  alignas(16) std::array<std::byte, 64> room{};
  std::memcpy(room.data() + 4, whole.data(), whole.size());
  const std::span<const std::byte> askew(room.data() + 4, whole.size());
  CHECK_THROWS_AS(decode<std::span<const double>>(askew), decode_error);
  CHECK(decode<std::vector<double>>(askew) == std::vector<double>{1, 2});
}

TEST_CASE("given a size that lies, when decoded, then it is refused before memory is taken") {
  const auto most = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t lie : {most, most / 2 + 1, most / 8 + 1, std::uint64_t{1} << 33,
                                  std::uint64_t{1} << 61, std::uint64_t{100'000}}) {
    const bytes message = raw(lie, std::uint64_t{0}, std::uint64_t{0});
    CHECK(try_to_decode<std::string>(message) == outcome::refused);
    CHECK(try_to_decode<std::vector<int>>(message) == outcome::refused);
    CHECK(try_to_decode<std::vector<point>>(message) == outcome::refused);
    CHECK(try_to_decode<std::vector<bool>>(message) == outcome::refused);
    CHECK(try_to_decode<std::vector<std::string>>(message) == outcome::refused);
    CHECK(try_to_decode<std::vector<nothing>>(message) == outcome::refused);
    CHECK(try_to_decode<std::forward_list<int>>(message) == outcome::refused);
    CHECK(try_to_decode<std::list<std::string>>(message) == outcome::refused);
    CHECK(try_to_decode<std::set<int>>(message) == outcome::refused);
    CHECK(try_to_decode<std::unordered_map<int, int>>(message) == outcome::refused);
    CHECK(try_to_decode<std::wstring>(message) == outcome::refused);
    CHECK(try_to_decode<std::span<const double>>(message) == outcome::refused);
  }
}

TEST_CASE("given large elements, when their number lies a little, then memory grows as they come") {
  using large = std::array<std::string, 1000>;
  bytes message = raw(std::uint64_t{60'000});
  message.resize(10'000);
  CHECK(try_to_decode<std::vector<large>>(message) == outcome::refused);
  CHECK(try_to_decode<std::deque<large>>(message) == outcome::refused);
  CHECK(try_to_decode<std::forward_list<large>>(message) == outcome::refused);
}

TEST_CASE("given a shared object, when another type refers to it, then it is refused") {
  using mixed = std::pair<std::shared_ptr<int>, std::shared_ptr<std::string>>;
  const bytes message = raw(std::uint32_t{0x80000001}, 5, std::uint32_t{1});
  CHECK(refusal<mixed>(message) == "message refers to a shared object of another type");
  using same = std::pair<std::shared_ptr<int>, std::shared_ptr<int>>;
  CHECK(refusal<same>(message) == "accepted");
}

TEST_CASE("given values that nest too deeply, when they travel, then the stack does not overflow") {
  const bytes deep(3'000'000, std::byte{1});
  CHECK(refusal<chain>(deep) != "accepted");
  chain first;
  chain* last = &first;
  for (int i = 0; i < 40'000; ++i) {
    last->next = std::make_unique<chain>();
    last = last->next.get();
  }
  byte_buffer message;
  try {
    coterie::encode(message, first);  // a compiler may make a loop of it, which needs no stack
  } catch (const std::length_error&) {
    CHECK(message.empty());
  }
  // Taken apart from the front: its own destructor would recurse.
  while (first.next) first.next = std::move(first.next->next);
}

TEST_CASE("given wrong bytes, when decoded, then the error says in words what is wrong") {
  CHECK(refusal<std::int64_t>(raw(std::int32_t{1})) == "message ends 4 bytes too early");
  CHECK(refusal<std::int32_t>(raw(std::int32_t{1}, 'x')) == "message has 1 byte too many");
  CHECK(refusal<bool>(raw('\2')) == "message has the byte 2 for a bool");
  CHECK(refusal<std::variant<int>>(raw(7, 7)) ==
        "message has an alternative that the variant does not have");
  CHECK(refusal<std::vector<int>>(raw(std::uint64_t{9}, 7)) ==
        "message claims 9 elements of at least 4 bytes, but only 4 bytes follow");
}

namespace {

struct fails_to_save {
  template <class Archive>
  void save(Archive& archive) const {
    archive(std::string(1000, 'x'));
    throw std::runtime_error("no");
  }

  template <class Archive>
  void load(Archive&) {}

  int field = 0;
};

}  // namespace

TEST_CASE("given a value that cannot be written whole, when it fails, then nothing of it is left") {
  byte_buffer message;
  coterie::encode(message, 5);
  CHECK_THROWS_WITH(coterie::encode(message, fails_to_save()), "no");
  CHECK(message.size() == sizeof(int));
  CHECK(decode<int>(message) == 5);
}
