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

#include "call_events.hpp"
#include "choices.hpp"
#include "simulated_worker.hpp"
#include "user_code.hpp"

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
  pid_t held_by = 0;  // the worker that it was sent to; 0: it waits for one
  pid_t lost_with = 0;
  bool told = false;            // a frame has brought its outcome
  std::size_t not_reached = 0;  // by so many workers in a row, which ended before its chunk
  int begun = 0;                // times
  pid_t begun_by = 0;
  bool over = false;  // the function has returned or thrown
  bool sent = false;  // and its worker was at a later chunk since
  int outcomes = 0;
};

/// What a call takes its items from.
enum class input_kind { vector, forward_range, read_once };

/// How a call takes its results.
enum class call_form { collected, settled, stream };

struct call_plan {
  call_form form;
  bool text;  // its items and results are long
  std::size_t chunksize;
  std::size_t window;
  std::vector<order> items;
  nanoseconds begins{};
  std::optional<nanoseconds> cancelled{};  // after it has begun
  // What the program's own code does in the parent.
  input_kind input = input_kind::vector;
  fault throws{};
  bool finish_throws = false;

  [[nodiscard]] bool hangs() const;
  /// How many items its input has, up to where that throws.
  [[nodiscard]] std::size_t input_size() const;
};

/// A call on the pool, and what became of it.
struct simulated_call {
  call_plan plan;
  std::vector<item_record> items;
  bool made = false;
  bool made_late = false;  // the pool was closed
  bool cancelled = false;
  bool ended = false;
  bool must_end = false;           // in this turn: its code has thrown where that ends it
  std::exception_ptr failed_with;  // by the item that failed last
  std::size_t outcomes = 0;
  std::size_t unread = 0;    // results of a stream that its reader has not taken
  std::size_t released = 0;  // since that was asked last
};

/// What a right answer is.
std::uint64_t answer_of(const order& what);
std::string text_of(const order& what);

/// The call with its types erased. `call` outlives it.
coterie::detail::counted_ptr<coterie::detail::job> make_job(std::uint64_t id, simulated_call& call);

}  // namespace simulation
