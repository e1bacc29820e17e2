// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <vector>

#include "host/hosted_process.hpp"
#include "processes/launcher.hpp"
#include "processes/worker_output.hpp"
#include "processes/worker_process.hpp"
#include "runtime/asio_runtime.hpp"

namespace coterie::detail {

/// A child of this process, and what it prints as far as that is passed on.
class local_process final : public hosted_process {
 public:
  /// `runs_on` outlives it. Throws `boost::system::system_error`; the child has then been killed
  /// and reaped.
  local_process(asio_runtime& runs_on, launched_worker launched, ends_with_parent what);

  void start(const std::shared_ptr<process_events>& told) override;
  [[nodiscard]] pid_t pid() const noexcept override { return process_.pid(); }
  void kill() noexcept override { process_.kill(); }
  [[nodiscard]] bool is_exiting() const noexcept override;
  void end() noexcept override;
  void stop_waiting() override;
  [[nodiscard]] bool at_rest() const noexcept override;
  void abandon() noexcept override;

 private:
  void wait_for_end(const std::shared_ptr<process_events>& told);
  void take_end(const std::shared_ptr<process_events>& told);
  void wait_for(worker_output& output, const std::shared_ptr<process_events>& told);
  void take(worker_output& output, const std::shared_ptr<process_events>& told);
  void tell_if_at_rest(process_events& told) const;

  asio_runtime& runtime_;
  worker_process process_;
  std::vector<std::unique_ptr<worker_output>> outputs_;  // those that are passed on
  bool ended_ = false;
};

}  // namespace coterie::detail
