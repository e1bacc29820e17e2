// SPDX-License-Identifier: BSL-1.0

// A member of an options struct, and copies of its bytes, as g++ 12 makes them.

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include <coterie/option.hpp>

namespace {

using coterie::option;

// What has the bytes of another object, without having been constructed.
class bytes_of {
 public:
  explicit bytes_of(const option<std::string>& other) {
    std::memcpy(static_cast<void*>(storage_), static_cast<const void*>(&other), sizeof other);
  }
  option<std::string>& operator*() {
    return *std::launder(reinterpret_cast<option<std::string>*>(storage_));
  }
  void destroy() { std::destroy_at(&**this); }

 private:
  alignas(option<std::string>) std::byte storage_[sizeof(option<std::string>)];
};

struct refuses {
  operator std::string() const { throw std::runtime_error{"refused"}; }
};

}  // namespace

TEST_CASE("given no value, when an option is read, then it gives the type's default") {
  const option<std::string> none;
  const option<std::string> braces{};
  CHECK_FALSE(none);
  CHECK(none.value().empty());
  CHECK(option<std::string>{braces}.value().empty());
}

TEST_CASE("given a value, when an option is copied and assigned, then each has it") {
  option<std::string> first = "text";
  const option<std::string> copy = first;
  option<std::string> moved = std::move(first);
  first = std::string{"other"};
  CHECK(copy.value() == "text");
  CHECK(moved.value() == "text");
  CHECK(first.value() == "other");
  const auto& itself = first;
  first = itself;
  CHECK(first.value() == "other");
  moved = option<std::string>{};
  CHECK_FALSE(moved);
  CHECK(copy.value() == "text");
}

TEST_CASE("given a copy of its bytes, when that is destroyed first, then the value is freed once") {
  const auto watched = std::make_shared<int>(1);
  {
    const option<std::shared_ptr<int>> original = watched;
    alignas(option<std::shared_ptr<int>>) std::byte copy[sizeof original];
    std::memcpy(copy, static_cast<const void*>(&original), sizeof original);
    using type = option<std::shared_ptr<int>>;
    auto* const other = std::launder(reinterpret_cast<type*>(copy));
    CHECK(*other->value() == 1);
    std::destroy_at(other);
    CHECK(watched.use_count() == 1);
  }
  CHECK(watched.use_count() == 1);
}

TEST_CASE("given a copy of its bytes, when the original is gone, then reading it says so") {
  std::optional<option<std::string>> original{"text"};
  bytes_of copy{*original};
  CHECK((*copy).value() == "text");
  original.reset();
  CHECK_THROWS_WITH((*copy).value(), Catch::Contains("await first"));
  CHECK_THROWS_AS(option<std::string>{*copy}, std::invalid_argument);
  // Another value does not come to stand in its place.
  const option<std::string> later = "later";
  CHECK_THROWS_AS((*copy).value(), std::invalid_argument);
  copy.destroy();
  CHECK(later.value() == "later");
}

TEST_CASE(
    "given a value that cannot be made, when an option is made of it, then what it threw comes") {
  CHECK_THROWS_WITH(option<std::string>{refuses{}}, "refused");
}
