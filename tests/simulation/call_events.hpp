// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>

namespace simulation {

struct order;
class simulated_worker;

/// What the functions of items tell, and what takes their results.
class call_events {
 public:
  virtual void item_begins(const order& what, const simulated_worker& in) = 0;
  virtual void item_over(const order& what, const simulated_worker& in) = 0;
  /// `right`: the value is its own.
  virtual void item_returned(std::uint64_t call, std::size_t index, bool right) = 0;
  virtual void item_failed(std::uint64_t call, std::size_t index,
                           const std::exception_ptr& why) = 0;
  /// The program's code is about to throw where that ends its call.
  virtual void taker_throws(std::uint64_t call) = 0;
  virtual void call_ended(std::uint64_t call, const std::exception_ptr& why) = 0;
  /// Code of the program runs in the parent, inside of the pool's. It may use the pool.
  virtual void program_runs() = 0;
  /// What must never happen has happened.
  virtual void broken(std::string what) = 0;

  /// Those of the world that runs now: functions that travel know of no other.
  static call_events* now;

 protected:
  ~call_events() = default;
};

}  // namespace simulation
