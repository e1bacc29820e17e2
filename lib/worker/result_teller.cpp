// SPDX-License-Identifier: BSL-1.0
#include "worker/result_teller.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>

#include <coterie/detail/result_progress.hpp>

#include "messages/send_queue.hpp"
#include "worker/worker_socket.hpp"

namespace coterie::detail {

namespace {

// The memory is touched only as far as results need it.
constexpr std::size_t memory_size = std::size_t{64} << 10U;

std::byte* make_memory() {
  constexpr std::size_t cache_line = 64;
  void* const made = std::aligned_alloc(cache_line, memory_size);
  if (made == nullptr) throw std::bad_alloc{};
  std::memset(made, 0, open_results::memory_for(0));
  return static_cast<std::byte*>(made);
}

}  // namespace

result_teller::result_teller(int socket, worker_runtime& runtime, std::chrono::nanoseconds interval)
    : socket_{socket},
      runtime_{runtime},
      interval_{interval},
      memory_{make_memory()},
      results_{{memory_.get(), memory_size}} {}

result_teller::~result_teller() {
  {
    const std::lock_guard lock{mutex_};
    leaving_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void result_teller::begin(std::uint64_t sent, job_id job, chunk_id chunk, std::size_t first) {
  std::unique_lock lock{mutex_};
  results_.begin(sent, job, chunk, first);
  all_ = {.job = job,
          .chunk = chunk,
          .first = static_cast<std::uint32_t>(first),
          .count = 0,
          .claimed = 0};
  told_ = {};
  begun_ = runtime_.now();
  open_ = true;
  if (!started_ && runtime_.has_threads()) start();
  const bool was_parked = std::exchange(parked_, false);
  lock.unlock();
  if (was_parked) changed_.notify_one();
}

told_results result_teller::end() {
  if (!open_) return {};
  const std::lock_guard lock{mutex_};
  open_ = false;
  return std::exchange(told_, {});
}

void result_teller::tell() {
  const std::lock_guard lock{mutex_};
  if (open_) send_news();
}

void result_teller::send_news() {
  const std::uint64_t whole = result_progress::load(results_.whole());
  const told_results now{.count = result_progress::count_in(whole),
                         .bytes = result_progress::bytes_in(whole)};
  if (now.count == told_.count) return;
  message::values news = all_;
  news.first += static_cast<std::uint32_t>(told_.count);
  news.count = static_cast<std::uint32_t>(now.count - told_.count);
  send_queue queue;
  try {
    queue.push(frame_header::of(news),
               results_.space().subspan(told_.bytes, now.bytes - told_.bytes));
  } catch (const std::bad_alloc&) {
    return;  // the next check tries again
  }
  told_ = now;
  write_all(socket_, queue, runtime_);
}

void result_teller::start() {
  started_ = true;
  // Signals to the process are for the program's own threads.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread{[this] { run(); }};
  } catch (const std::system_error&) {
    thread_ = {};  // results wait until the worker sends them
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// A worker that sends results itself often enough is never disturbed: each `begin` puts off the
// next check. A check that finds no open results parks the thread. So it is woken only for work
// that comes after a pause.
void result_teller::run() {
  ::pthread_setname_np(::pthread_self(), "coterie-teller");
  std::unique_lock lock{mutex_};
  worker_runtime::time_point checked{};
  const auto due = [&] { return (open_ ? std::max(begun_, checked) : begun_) + interval_; };
  while (!leaving_) {
    changed_.wait_until(lock, due());
    if (runtime_.now() < due()) continue;
    if (open_) {
      send_news();
      checked = runtime_.now();
    } else {
      parked_ = true;
      changed_.wait(lock, [this] { return !parked_ || leaving_; });
    }
  }
}

}  // namespace coterie::detail
