// SPDX-License-Identifier: BSL-1.0
#include "raw_round_trip.hpp"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

namespace {

bool read_all(int from, std::vector<char>& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(from, bytes.data() + done, bytes.size() - done);
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

bool write_all(int to, const std::vector<char>& bytes) {
  return ::write(to, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

double raw_round_trip(std::size_t size, int repetitions) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  std::vector<char> message(size, 'x');

  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    while (read_all(ends[1], message) && write_all(ends[1], message)) {
    }
    ::_exit(0);
  }
  ::close(ends[1]);

  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(repetitions));
  for (int round = 0; round < repetitions; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    if (!write_all(ends[0], message) || !read_all(ends[0], message)) std::abort();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    times.push_back(took.count());
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);

  std::ranges::nth_element(times, times.begin() + repetitions / 2);
  return times[static_cast<std::size_t>(repetitions) / 2];
}
