// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "worker/worker_runtime.hpp"

namespace coterie::detail {

/// A worker that is a process. Thread safety: safe.
class process_runtime final : public worker_runtime {
 public:
  [[nodiscard]] time_point now() override { return std::chrono::steady_clock::now(); }
  void wait_for_input(int descriptor) override;
  void wait_for_output(int descriptor) override;
  bool wait_on_word(const std::uint64_t& word, std::uint64_t value,
                    std::chrono::nanoseconds limit) override;
  void yield() override;
  [[nodiscard]] bool has_threads() const override { return true; }
  void require_running() override {}

 private:
  [[noreturn]] void do_exit(int code) override;
  [[noreturn]] void do_exit_at_once(int code) override;
};

}  // namespace coterie::detail
