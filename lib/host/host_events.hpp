// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "host/worker_end.hpp"
#include "messages/frame.hpp"
#include "messages/identifiers.hpp"

namespace coterie::detail {

class worker_handle;
class worker_output;

/// Something that the event loop has told of a host's worker, or of the host: no more than a note that
/// `local_host::take` understands.
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

/// What a worker host tells the one that it works for.
///
/// `happened` is called by the event loop, in any of its threads. It has `local_host::take` called when
/// nothing else happens in the pool. All others are called from there, or from another function of the
/// host.
class host_events {
 public:
  virtual void happened(host_event what) = 0;
  /// Keeps the one that is told alive, for as long as the event loop may have something to tell.
  [[nodiscard]] virtual std::shared_ptr<host_events> share() = 0;

  /// Whether a worker is still to be started.
  [[nodiscard]] virtual bool is_wanted(worker_id id) const = 0;
  /// Whether a worker has something to do, so that news of it may come.
  [[nodiscard]] virtual bool holds_work(worker_id id) const = 0;

  /// The process runs. `lacks_memory`: memory was to be shared with it, and could not be had.
  virtual void started(worker_id id, bool lacks_memory) = 0;
  /// It could not be made. `scarce`: the system was short of something that may be there again soon.
  virtual void not_started(worker_id id, bool scarce, std::string why) = 0;
  /// The initializer has run. `revocable`: what the worker holds can be revoked.
  virtual void ready(worker_id id, bool revocable) = 0;
  /// A message about its work, or the last one of a worker that leaves. It may say anything.
  virtual void said(worker_id id, const frame& what) = 0;
  /// Nothing more that the worker says is heard. It is to be killed.
  virtual void broke_rules(worker_id id) = 0;
  /// The worker has closed its link, and goes on. It is to be killed.
  virtual void lost_link(worker_id id) = 0;
  /// The process is gone, and all that it said has been told. The host forgets it after this.
  virtual void ended(worker_id id, const worker_end& how) = 0;

 protected:
  ~host_events() = default;
};

}  // namespace coterie::detail
