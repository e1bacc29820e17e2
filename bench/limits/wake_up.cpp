// SPDX-License-Identifier: BSL-1.0

// The limit of a call beside busy workers: how late the system lets a process run that wants to,
// while others compute and pause as workers do between two chunks. A call takes three such turns at
// least.

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "../support/contender.hpp"
#include "../support/spin.hpp"

namespace {

[[noreturn]] void keep_busy(std::int64_t chunk_ns) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    bench::spin_for(chunk_ns);
    std::this_thread::sleep_for(std::chrono::microseconds{20});
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t processes = 2;
  std::int64_t chunk_ns = 1'500'000;
  std::int64_t every_ms = 5;
  std::int64_t calls = 2'000;
  bench::parse(argc, argv, "How late a process wakes up beside busy ones.",
               {{"processes", &processes, "Busy processes"},
                {"chunk-ns", &chunk_ns, "Nanoseconds that they compute without a pause"},
                {"every-ms", &every_ms, "Milliseconds from one wake-up to the next"},
                {"calls", &calls, "Wake-ups"}});
  std::vector<pid_t> busy;
  for (std::int64_t each = 0; each < processes; ++each) {
    busy.push_back(::fork());
    if (busy.back() == 0) keep_busy(chunk_ns);
  }

  std::vector<double> waits;
  auto next = std::chrono::steady_clock::now();
  for (std::int64_t call = 0; call < calls; ++call) {
    next += std::chrono::milliseconds{every_ms};
    std::this_thread::sleep_until(next);
    const std::chrono::duration<double> late = std::chrono::steady_clock::now() - next;
    waits.push_back(late.count());
  }
  for (const pid_t each : busy) {
    ::kill(each, SIGKILL);
    ::waitpid(each, nullptr, 0);
  }
  const double p99 = bench::quantile(waits, 0.99);
  bench::print({{"median_wait_seconds", bench::quantile(waits, 0.5)},
                {"p99_wait_seconds", p99},
                {"longest_wait_seconds", bench::quantile(waits, 1)},
                {"p99_wait_in_chunks", 1e9 * p99 / static_cast<double>(chunk_ns)}});
}
