// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <coterie/detail/task.hpp>

#include "messages/frame.hpp"
#include "messages/setup_frame.hpp"
#include "system/file_identity.hpp"
#include "worker/current_worker.hpp"
#include "worker/worker_link.hpp"
#include "worker/worker_runtime.hpp"
#include "worker/worker_sink.hpp"
#include "worker/worker_transport.hpp"

namespace coterie::detail {

/// What a worker does from its greeting to its end: it handles the parent's messages one after the
/// other, and runs chunks. Thread safety: none.
class worker_loop {
 public:
  /// `descriptor` is the socket from which `link` was accepted. It stays the caller's. It and
  /// `runtime` must outlive the loop.
  worker_loop(int rank, worker_transport::accepted link, worker_runtime& runtime, int descriptor);
  worker_loop(const worker_loop&) = delete;
  worker_loop& operator=(const worker_loop&) = delete;
  ~worker_loop();

  /// Serves until the parent says to stop or is gone, and then ends the worker by the runtime.
  [[noreturn]] void run();

 private:
  // The function of a job is made when the first of its items is about to run. If the program's
  // code ends the process while it makes the function, an item has begun, and is not sent again.
  struct known_job {
    std::vector<std::byte> definition;
    std::unique_ptr<task> function;
    worker_sink::manner manner;
    std::uint64_t seed = 0;
    bool is_for_one_chunk = false;
  };

  void say_hello();
  void handle(const frame& arrived);
  void set_up(const frame& arrived);
  void define(const frame& arrived);
  void run_chunk(const frame& arrived);
  void run_items(const frame& arrived, known_job* job);
  task& function_of(known_job& job);
  [[noreturn]] void leave();
  [[noreturn]] void leave_unready();
  byte_buffer caught_exception();

  worker_runtime& runtime_;
  int descriptor_;
  std::optional<file_identity> socket_;  // what the descriptor stands for
  link_secret secret_;
  worker_link link_;
  worker_sink sink_;
  worker_state state_;
  worker_setup setup_;
  std::unordered_map<job_id, known_job> jobs_;
};

}  // namespace coterie::detail
