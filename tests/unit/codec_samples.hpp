// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <stack>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <cereal/types/base_class.hpp>
#include <cereal/types/polymorphic.hpp>

#include <coterie/ext/codec.hpp>

// Types and values for the tests of the codec.

namespace samples {

inline coterie::detail::byte_buffer encoded(const auto& value) {
  coterie::detail::byte_buffer bytes;
  coterie::encode(bytes, value);
  return bytes;
}

template <class T>
coterie::travel_t<T> round_trip(const T& value) {
  return coterie::decode<coterie::travel_t<T>>(encoded(value));
}

enum class colour : std::uint8_t { red, green, blue = 200 };
enum class answer : bool { no, yes };

struct nothing {
  bool operator==(const nothing&) const = default;
};

struct point {
  double x = 0;
  double y = 0;
  bool operator==(const point&) const = default;
};

struct person {
  std::string name = "nobody";
  int age = 0;
  bool active = false;
  std::optional<std::string> nickname;
  bool operator==(const person&) const = default;
};

struct arrays {
  int matrix[2][3];
  char label[8];
  std::string words[2];
  std::uint8_t last;
  bool operator==(const arrays&) const = default;
};

struct company {
  person chief;
  std::vector<person> staff;
  std::map<std::string, std::vector<point>> places;
  std::variant<std::monostate, int, person> extra;
  colour paint = colour::red;
  std::chrono::milliseconds age{};
  std::array<std::string, 2> names;
  nothing none;
  std::tuple<int, std::string> numbered;
  bool operator==(const company&) const = default;
};

struct tree {
  int value = 0;
  std::vector<tree> children;
  std::unique_ptr<tree> other;
};

struct chain {
  std::unique_ptr<chain> next;
};

class account {
 public:
  account() = default;
  account(std::string owner, std::int64_t balance) : owner_(std::move(owner)), balance_(balance) {}

  bool operator==(const account&) const = default;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::make_nvp("owner", owner_), balance_);
  }

 private:
  std::string owner_;
  std::int64_t balance_ = 0;
};

class hidden {
 public:
  hidden() = default;
  explicit hidden(int value) : value_(value) {}
  int value() const { return value_; }

 private:
  friend class cereal::access;

  template <class Archive>
  void save(Archive& archive) const {
    archive << value_;
  }

  template <class Archive>
  void load(Archive& archive) {
    archive >> value_;
  }

  int value_ = 0;
};

// An aggregate, but with functions of its own: they count.
struct doubled {
  unsigned value = 0;
};

template <class Archive>
void save(Archive& archive, const doubled& value) {
  archive(value.value * 2);
}

template <class Archive>
void load(Archive& archive, doubled& value) {
  archive(value.value);
}

struct minimal {
  int value = 0;

  template <class Archive>
  std::string save_minimal(const Archive&) const {
    return std::to_string(value);
  }

  template <class Archive>
  void load_minimal(const Archive&, const std::string& text) {
    value = std::stoi(text);
  }
};

struct versioned {
  int value = 0;
  std::uint32_t version = 0;

  template <class Archive>
  void serialize(Archive& archive, std::uint32_t with) {
    version = with;
    archive & value;
  }
};

// No default constructor: travels in a smart pointer only.
struct celsius {
  explicit celsius(double value) : degrees(value) {}
  double degrees;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(degrees);
  }

  template <class Archive>
  static void load_and_construct(Archive& archive, cereal::construct<celsius>& construct) {
    double value = 0;
    archive(value);
    construct(value);
  }
};

struct shape {
  virtual ~shape() = default;
  virtual double area() const = 0;

  template <class Archive>
  void serialize(Archive&) {}
};

struct square : shape {
  square() = default;
  explicit square(double length) : side(length) {}
  double area() const override { return side * side; }
  double side = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::base_class<shape>(this), side);
  }
};

struct derived_from_aggregate : point {
  derived_from_aggregate() = default;
  derived_from_aggregate(point where, int more) : point(where), extra(more) {}
  int extra = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::base_class<point>(this), extra);
  }
};

inline company some_company() {
  company made;
  made.chief = {"Ada", 36, true, "countess"};
  made.staff = {{"Bob", 20, false, {}}, {"", 0, true, ""}};
  made.places = {{"home", {{1, 2}, {3, 4}}}, {"away", {}}};
  made.extra = person{"Eve", 5, false, {}};
  made.paint = colour::blue;
  made.age = std::chrono::milliseconds(1234);
  made.names = {"one", "two"};
  made.numbered = {7, "seven"};
  return made;
}

inline tree some_tree() {
  tree root{1, {}, std::make_unique<tree>()};
  root.children.push_back({2, {}, nullptr});
  root.children.push_back({3, {}, std::make_unique<tree>(tree{4, {}, nullptr})});
  return root;
}

}  // namespace samples

CEREAL_CLASS_VERSION(samples::versioned, 7)
CEREAL_REGISTER_TYPE(samples::square)
