// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <dirent.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"

namespace test {

/// What the kernel says of a process: 'Z' is a zombie, 'T' is stopped, 0 is no process at all.
struct process_status {
  char state = 0;
  pid_t parent = 0;
};

inline process_status status_of(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  // Not by iterators, which throw if the process ends in between. The text may have several lines.
  std::string text;
  std::getline(file, text, '\0');
  // The name before it may contain anything, parentheses too.
  const auto name_end = text.rfind(')');
  process_status status;
  if (name_end == std::string::npos || name_end + 4 >= text.size()) return status;
  status.state = text[name_end + 2];
  status.parent = std::atoi(text.c_str() + name_end + 4);
  return status;
}

/// Whether a process has ended. One that is not reaped yet counts, unless that is up to us.
inline bool gone(pid_t pid) {
  const process_status status = status_of(pid);
  if (status.state == 0 || status.state == 'X') return true;
  return status.state == 'Z' && status.parent != ::getpid();
}

/// The entries of a directory whose names are numbers.
inline std::vector<int> numbers_in(const char* directory) {
  std::vector<int> numbers;
  DIR* const opened = ::opendir(directory);
  if (opened == nullptr) return numbers;
  while (const dirent* entry = ::readdir(opened)) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) != 0) {
      numbers.push_back(std::atoi(entry->d_name));
    }
  }
  ::closedir(opened);
  std::ranges::sort(numbers);
  return numbers;
}

/// The children of a process, zombies included.
inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> all = numbers_in("/proc");
  std::erase_if(all, [parent](pid_t each) {
    const process_status status = status_of(each);
    return status.state == 0 || status.parent != parent;
  });
  return all;
}

inline std::vector<pid_t> children() { return children_of(::getpid()); }

/// The descriptors that are open in this process.
inline std::vector<int> descriptors() {
  std::vector<int> open = numbers_in("/proc/self/fd");
  // The one that the directory itself was read through is closed again.
  std::erase_if(open, [](int each) {
    return ::access(("/proc/self/fd/" + std::to_string(each)).c_str(), F_OK) != 0;
  });
  return open;
}

/// Whether a process sleeps in the system call `number`.
inline bool waits_in(pid_t pid, long number) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/syscall"};
  long current = -1;
  return static_cast<bool>(file >> current) && current == number;
}

/// Whether a worker sleeps until its parent says something, on either kind of link.
inline bool waits_for_parent(pid_t pid) {
#ifdef SYS_poll
  return waits_in(pid, SYS_poll);
#else
  return waits_in(pid, SYS_ppoll);
#endif
}

/// Looks again and again until something is so. False: it was not within the limit.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = deadline) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

/// The same while the event loop goes on.
template <class Condition>
boost::asio::awaitable<bool> soon(Condition condition, std::chrono::milliseconds limit = deadline) {
  boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) co_return false;
    timer.expires_after(std::chrono::milliseconds{1});
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
  co_return true;
}

inline bool all_gone(const std::vector<pid_t>& pids, std::chrono::milliseconds limit = deadline) {
  return eventually([&] { return std::ranges::all_of(pids, gone); }, limit);
}

/// What a process holds of the system's: to be the same after a test as before it.
struct resources {
  std::vector<pid_t> processes;
  std::vector<int> descriptors;
  bool operator==(const resources&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const resources& what) {
  out << "processes";
  for (const pid_t each : what.processes) out << ' ' << each << status_of(each).state;
  out << ", descriptors";
  for (const int each : what.descriptors) out << ' ' << each;
  return out;
}

inline resources held_now() { return {children(), descriptors()}; }

inline int task_of_nothing() { return ::getpid(); }

/// What is held once everything that is made only once, and kept, has been made.
inline resources held_at_rest() {
  run([]() -> boost::asio::awaitable<void> {
    coterie::pool pool{co_await boost::asio::this_coro::executor, {.processes = 1}};
    co_await pool.apply(task_of_nothing);
  });
  return held_now();
}

}  // namespace test
