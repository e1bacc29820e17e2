// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/home_process.hpp>

#include <pthread.h>
#include <unistd.h>

#include <new>
#include <string>
#include <vector>

namespace coterie::detail {

std::atomic<unsigned> forks_so_far = 0;

namespace {

void count_this_fork() { forks_so_far.fetch_add(1, std::memory_order_relaxed); }

// A failure (no memory) leaves the process number, which is asked for wherever harm could be done.
unsigned counted_forks() {
  [[maybe_unused]] static const int counting = ::pthread_atfork(nullptr, nullptr, count_this_fork);
  return forks_so_far.load(std::memory_order_relaxed);
}

}  // namespace

home_process::home_process() : forks_{counted_forks()}, pid_{::getpid()} {}

bool home_process::is_surely_here() const noexcept { return is_here() && pid_ == ::getpid(); }

error home_process::refusal() const {
  return error{
      errc::forked,
      "the pool belongs to process " + std::to_string(pid_) + ", and process " +
          std::to_string(::getpid()) +
          " was forked from that one: use the pool there, or make another in this process"};
}

void home_process::refuse() const { throw refusal(); }

void keep_for_ever(const void* object) noexcept {
  static auto* const kept = new (std::nothrow) std::vector<const void*>;
  if (kept == nullptr) return;
  try {
    kept->push_back(object);
  } catch (const std::bad_alloc&) {
    return;  // it stays all the same
  }
}

}  // namespace coterie::detail
