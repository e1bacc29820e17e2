// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include "messages/identifiers.hpp"

namespace coterie::detail {

/// What a message is. Parent to worker: setup to stop. Worker to parent: hello to left. The rest is
/// between the two ends of a link that have segments.
enum class message_kind : std::uint8_t {
  setup = 1,
  define,
  run,
  forget,
  cancel,
  stop,
  hello,
  ready,
  not_ready,
  values,
  failure,
  done,
  left,
  argument_segment,
  result_segment,
  want_segment,
  result_taken,
};

/// The messages, a struct for each: what stands in the header of its frame. Both ends are the same
/// build on the same machine, so a message travels as it lies in memory. Each has numbers only, so
/// that any bytes are one; what they mean is for the receiver to check.
///
/// A comment says what the frame's payload is, where it has one.
namespace message {

// ---- parent to worker -------------------------------------------------------------------------

/// First of all. The payload: a `worker_setup`.
struct setup {
  static constexpr auto kind = message_kind::setup;
  std::uint64_t incarnation;  // processes that had the rank before
};
/// Before the first chunk of a job. The payload: its function.
struct define {
  static constexpr auto kind = message_kind::define;
  job_id job;
  std::uint64_t chunksize;  // items that are one worker's as a whole; 0: single ones
  std::uint64_t seed;
  std::uint32_t is_stream;         // 1: each result is waited for
  std::uint32_t is_for_one_chunk;  // 1: the next chunk is the last; its function can go then
};
/// Items of a chunk. The payload: the whole chunk, from its index 0 on.
struct run {
  static constexpr auto kind = message_kind::run;
  job_id job;
  chunk_id chunk;
  std::uint64_t first;  // of the call's items, the chunk's first
  std::uint32_t begin;  // of the chunk's items, those to be run: from this index on,
  std::uint32_t end;    // before this one
};
/// No more chunks of a job will come: its function can go.
struct forget {
  static constexpr auto kind = message_kind::forget;
  job_id job;
};
/// The results of a job are not wanted: what is queued is skipped, what runs stops, and its
/// function can go.
struct cancel {
  static constexpr auto kind = message_kind::cancel;
  job_id job;
};
/// The worker is to finish what it holds, run the finalizer and leave.
struct stop {
  static constexpr auto kind = message_kind::stop;
};

// ---- worker to parent -------------------------------------------------------------------------

/// First of all. The payload: the secret of the link, and the identity of the build.
struct hello {
  static constexpr auto kind = message_kind::hello;
  std::uint64_t version;  // of the protocol
};
/// The initializer has run.
struct ready {
  static constexpr auto kind = message_kind::ready;
};
/// The initializer threw. The payload: the exception.
struct not_ready {
  static constexpr auto kind = message_kind::not_ready;
};
/// Results of consecutive items of a chunk, which are the payload. Those of its last items say that
/// it is over, so that a short chunk is one message each way.
struct values {
  static constexpr auto kind = message_kind::values;
  job_id job;
  chunk_id chunk;
  std::uint32_t first;     // of the chunk's items, the first of them
  std::uint32_t count;     // of results
  std::uint32_t claimed;   // items behind them that are about to run: over a socket it is told here
  std::uint32_t busy = 0;  // as in `done`, if the chunk is over with these; 0: it goes on
};
/// An item of a chunk failed. The payload: the exception.
struct failure {
  static constexpr auto kind = message_kind::failure;
  job_id job;
  chunk_id chunk;
  std::uint64_t item;  // its index in the chunk
};
/// A chunk is over, and no results have told so: its last item failed, or it took very long.
struct done {
  static constexpr auto kind = message_kind::done;
  job_id job;
  chunk_id chunk;
  std::uint64_t busy;  // nanoseconds for which the worker was at it
};
/// The finalizer threw. The payload: the exception.
struct left {
  static constexpr auto kind = message_kind::left;
};

// ---- between the ends of a link ---------------------------------------------------------------

/// Numbered, since the worker may look at such a message before its turn has come, and then again.
struct argument_segment {  // from the parent: the next descriptor is the memory of this segment
  static constexpr auto kind = message_kind::argument_segment;
  std::uint64_t announcement;
  std::uint64_t segment;
  std::uint64_t size;  // in bytes; 0: the memory is gone
};
struct result_segment {  // from the parent: the same for results
  static constexpr auto kind = message_kind::result_segment;
  std::uint64_t announcement;
  std::uint64_t segment;
  std::uint64_t size;  // 0: the memory is gone, or cannot be had
};
struct result_taken {  // from the parent: the results in this segment have been read
  static constexpr auto kind = message_kind::result_taken;
  std::uint64_t announcement;
  std::uint64_t segment;
  std::uint64_t size;  // 0
};
struct want_segment {  // from the worker: results of so many bytes need one
  static constexpr auto kind = message_kind::want_segment;
  std::uint64_t segment;
  std::uint64_t size;
};

}  // namespace message

/// Whether only the parent sends such a message.
constexpr bool is_from_parent(message_kind kind) { return kind < message_kind::hello; }

/// Whether a message is between the two ends of a link, and of no interest to its users.
constexpr bool is_for_the_link(message_kind kind) { return kind > message_kind::left; }

}  // namespace coterie::detail
