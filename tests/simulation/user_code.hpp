// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "call_events.hpp"

// What the program's own code does in the parent: ranges, types and result takers that throw.

namespace simulation {

/// Where code of the program throws in the parent.
enum class place : std::uint8_t {
  nowhere,
  // The range that a call takes its items from:
  begin,    // `begin`
  compare,  // the comparison with the end
  read,     // `*`
  step,     // `++`
  // Types:
  function,  // the encoding of the function
  encoding,  // the encoding of an item
  // What takes the results:
  taking,     // a result
  finishing,  // the end of the call
};

constexpr bool is_in_input(place where) { return where >= place::begin && where <= place::step; }

/// What the program's code throws.
class thrown_by_program : public std::runtime_error {
 public:
  thrown_by_program(std::uint64_t of, place thrown_at, std::size_t at)
      : std::runtime_error{"the program throws in call " + std::to_string(of) + ", index " +
                           std::to_string(at)},
        call{of},
        where{thrown_at},
        index{at} {}

  std::uint64_t call;
  place where;
  std::size_t index;
};

/// By which the program ends a call.
class call_cancelled : public std::runtime_error {
 public:
  call_cancelled() : std::runtime_error{"cancelled"} {}
};

/// Code that throws once in its life: at `where`, when it comes to the item `index`.
struct fault {
  std::uint64_t call = 0;
  place where = place::nowhere;
  std::size_t index = 0;

  [[nodiscard]] bool is(place here, std::size_t at) const { return where == here && index == at; }
  void throw_if(place here, std::size_t at) const {
    if (is(here, at)) throw thrown_by_program{call, here, at};
  }
};

/// A range that may throw at any of its operations. `Category` says whether it can be read twice.
template <class Item, class Category>
class uncertain_range {
 public:
  uncertain_range(std::vector<Item> items, fault planned)
      : items_{std::move(items)}, fault_{planned} {}

  class iterator {
   public:
    using iterator_concept = Category;
    using iterator_category = std::input_iterator_tag;
    using value_type = Item;
    using difference_type = std::ptrdiff_t;
    using reference = const Item&;
    using pointer = const Item*;

    iterator() = default;
    iterator(const uncertain_range& in, std::size_t at) : in_{&in}, at_{at} {}

    reference operator*() const {
      in_->fault_.throw_if(place::read, at_);
      return in_->items_[at_];
    }
    iterator& operator++() {
      call_events::now->program_runs();
      in_->fault_.throw_if(place::step, at_);
      ++at_;
      return *this;
    }
    iterator operator++(int) {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator& left, const iterator& right) {
      return left.at_ == right.at_;
    }
    friend bool operator==(const iterator& left, std::default_sentinel_t) { return left.at_end(); }

   private:
    [[nodiscard]] bool at_end() const {
      in_->fault_.throw_if(place::compare, at_);
      return at_ == in_->items_.size();
    }

    const uncertain_range* in_ = nullptr;
    std::size_t at_ = 0;
  };

  [[nodiscard]] iterator begin() const {
    fault_.throw_if(place::begin, fault_.index);
    return {*this, 0};
  }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  std::vector<Item> items_;
  fault fault_;
};

/// Text as an item, which may refuse to be encoded.
struct question {
  std::string text;
  fault refuses{};

  template <class Archive>
  void save(Archive& archive) const {
    refuses.throw_if(place::encoding, refuses.index);
    archive(text);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(text);
  }
};

}  // namespace simulation
