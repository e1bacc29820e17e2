// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <coterie/detail/job.hpp>
#include <coterie/detail/result_taker.hpp>

#include "choices.hpp"
#include "simulated_worker.hpp"

namespace simulation {

/// What an item does.
enum class fate : std::uint32_t { returns, throws, crashes, hangs };

/// An item, as it travels.
struct order {
  std::uint64_t call;
  std::uint64_t index;
  std::int64_t lasts;  // nanoseconds
  fate does;
  std::uint32_t answer_size;  // bytes, if the answer is text
};

/// What is known of an item.
struct item_record {
  order what;
  int begun = 0;
  pid_t begun_by = 0;
  bool over = false;  // the function has returned or thrown
  bool sent = false;  // and its worker was at a later chunk since
  int outcomes = 0;
};

/// How a call takes its results.
enum class call_form { collected, settled, stream };

struct call_plan {
  call_form form;
  bool text;  // its items and results are long
  std::size_t chunksize;
  std::size_t window;
  std::vector<order> items;
};

/// A call on the pool, and what became of it.
struct simulated_call {
  call_plan plan;
  std::vector<item_record> items;
  bool made = false;
  bool ended = false;
  std::exception_ptr error;  // that ended it; null: all items had outcomes
  std::size_t outcomes = 0;
  std::size_t unread = 0;    // results of a stream that its reader has not taken
  std::size_t released = 0;  // since that was asked last
};

/// What the functions of items tell, and what takes their results.
class call_events {
 public:
  virtual void item_begins(const order& what, const simulated_worker& in) = 0;
  virtual void item_over(const order& what) = 0;
  virtual void item_returned(std::uint64_t call, std::size_t index) = 0;
  virtual void item_failed(std::uint64_t call, std::size_t index,
                           const std::exception_ptr& why) = 0;
  virtual void call_ended(std::uint64_t call, const std::exception_ptr& why) = 0;
  /// What must never happen has happened.
  virtual void broken(std::string what) = 0;

  /// Those of the world that runs now: functions that travel know of no other.
  static call_events* now;

 protected:
  ~call_events() = default;
};

/// What a right answer is.
std::uint64_t answer_of(const order& what);
std::string text_of(const order& what);

/// The call with its types erased. `call` outlives it.
coterie::detail::counted_ptr<coterie::detail::job> make_job(std::uint64_t id, simulated_call& call);

}  // namespace simulation
