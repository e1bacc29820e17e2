// SPDX-License-Identifier: BSL-1.0
#include "host/local_machine.hpp"

#include "host/local_process.hpp"
#include "processes/launcher.hpp"

namespace coterie::detail {

started_worker local_machine::start(int rank) {
  launched_worker launched = launch_worker(runtime_.event_loop(), rank, around_);
  unique_descriptor link = std::move(launched.link);
  auto process = std::make_unique<local_process>(runtime_, std::move(launched), around_.ends);
  return {.process = std::move(process), .link = make_link(runtime_, std::move(link), rings_)};
}

}  // namespace coterie::detail
