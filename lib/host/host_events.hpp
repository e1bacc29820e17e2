// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

#include "host/worker_end.hpp"
#include "links/link.hpp"
#include "messages/frame.hpp"
#include "messages/identifiers.hpp"

namespace coterie::detail {

/// What a worker host tells its owner, from inside one of its functions.
class host_events {
 public:
  /// Whether a worker is still to be started.
  [[nodiscard]] virtual bool is_wanted(worker_id id) const = 0;
  /// What a worker has to do, and so which news of it may come.
  [[nodiscard]] virtual expected_news expects(worker_id id) const = 0;

  /// The process runs. `lacks_memory`: memory was to be shared with it, and could not be had.
  virtual void started(worker_id id, bool lacks_memory) = 0;
  /// It could not be made. `scarce`: the system was short of something that may be there again
  /// soon.
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
