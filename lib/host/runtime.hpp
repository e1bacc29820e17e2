// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace coterie::detail {

class worker_handle;
class worker_output;

/// Something that the event loop has told of a host's worker, or of the host: no more than a note
/// that `worker_host::take` understands.
struct host_event {
  enum class kind : std::uint8_t {
    turn_to_start,    // the next process may be started
    input,            // `count` bytes came; `ended`: none will come any more
    output_possible,  // what was left unsent may be sent
    check,            // input may have come without a word
    poll,             // input may come soon
    printed,          // on `output`
    exit,             // of the process, perhaps
  };

  kind what;
  std::shared_ptr<worker_handle> worker{};
  worker_output* output = nullptr;
  std::size_t count = 0;
  bool ended = false;
};

/// What the parts of a pool run on: a clock, and a turn for each event.
class runtime {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Has `worker_host::take` called when nothing else happens in the pool. Called by the event
  /// loop, in any of its threads.
  virtual void happened(host_event what) = 0;
  /// Keeps the pool alive, for as long as the event loop may have something to tell.
  [[nodiscard]] virtual std::shared_ptr<runtime> share() = 0;
  [[nodiscard]] virtual time_point now() const = 0;

 protected:
  ~runtime() = default;
};

}  // namespace coterie::detail
