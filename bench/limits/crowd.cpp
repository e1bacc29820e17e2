// SPDX-License-Identifier: BSL-1.0

// The limit of a parent of many workers that sleep: bare socket pairs in one epoll set, a message
// of 64 bytes for each task and one back. There are no items, results or errors in it, only the
// wake-ups.

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "../support/contender.hpp"

namespace {

using message = std::array<char, 64>;

[[noreturn]] void work(int link, std::int64_t sleep_ms) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  message bytes{};
  while (::recv(link, bytes.data(), bytes.size(), 0) > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds{sleep_ms});
    ::send(link, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  ::_exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t processes = 256;
  std::int64_t tasks = 5'120;
  std::int64_t sleep_ms = 50;
  bench::parse(argc, argv, "Many processes that sleep, over bare socket pairs.",
               {{"processes", &processes, "How many"},
                {"tasks", &tasks, "How many tasks"},
                {"sleep-ms", &sleep_ms, "Milliseconds that each sleeps"}});
  const int all = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<pid_t> children;
  std::vector<int> links;
  for (std::int64_t each = 0; each < processes; ++each) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      bench::fail("no socket pair");
    }
    children.push_back(::fork());
    if (children.back() == 0) {
      for (const int link : links) ::close(link);
      ::close(ends[0]);
      work(ends[1], sleep_ms);
    }
    ::close(ends[1]);
    links.push_back(ends[0]);
    epoll_event wanted{.events = EPOLLIN, .data = {.fd = ends[0]}};
    ::epoll_ctl(all, EPOLL_CTL_ADD, ends[0], &wanted);
  }

  message bytes{};
  const double cpu_before = bench::cpu_seconds();
  const bench::stopwatch watch;
  std::int64_t sent = 0;
  for (; sent < processes && sent < tasks; ++sent) {
    ::send(links[static_cast<std::size_t>(sent)], bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  for (std::int64_t done = 0; done < tasks;) {
    std::array<epoll_event, 128> events{};
    const int count = ::epoll_wait(all, events.data(), static_cast<int>(events.size()), -1);
    for (int each = 0; each < count; ++each) {
      const int link = events[static_cast<std::size_t>(each)].data.fd;
      bench::expect(::recv(link, bytes.data(), bytes.size(), 0) == 64, "a message");
      ++done;
      if (sent == tasks) continue;
      ++sent;
      ::send(link, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
  }
  const double seconds = watch.seconds();
  const double cpu = bench::cpu_seconds() - cpu_before;
  for (const int link : links) ::close(link);
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);

  const auto rounds = static_cast<double>((tasks + processes - 1) / processes);
  bench::print({{"seconds", seconds},
                {"beside_ideal", seconds / (1e-3 * static_cast<double>(sleep_ms) * rounds)},
                {"parent_cpu_seconds_per_task", cpu / static_cast<double>(tasks)}});
}
