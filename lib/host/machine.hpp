// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>

#include "host/hosted_process.hpp"
#include "links/make_link.hpp"

namespace coterie::detail {

/// A process that was started as a worker, and the link to it.
struct started_worker {
  std::unique_ptr<hosted_process> process;
  made_link link;
};

/// What a `local_host` starts workers on.
class machine {
 public:
  machine() = default;
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;
  virtual ~machine() = default;

  /// Throws `boost::system::system_error`: EAGAIN and ENOMEM for what may be there again soon.
  virtual started_worker start(int rank) = 0;
};

}  // namespace coterie::detail
