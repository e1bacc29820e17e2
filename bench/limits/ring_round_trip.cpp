// SPDX-License-Identifier: BSL-1.0

// The limit of a pool over shared memory while no side sleeps: 64 bytes to a child and back through
// a ring each way, both ends polling.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "../support/contender.hpp"
#include "channel/byte_ring.hpp"

using coterie::detail::byte_ring;
using coterie::detail::ring_reader;
using coterie::detail::ring_writer;

namespace {

constexpr std::size_t capacity = 4096;
using message = std::array<std::byte, 64>;

void receive(ring_reader& from, message& to) {
  std::span<std::byte> rest{to};
  while (!rest.empty()) rest = rest.subspan(from.read(rest));
}

void send(ring_writer& to, const message& what) {
  std::span<const std::byte> rest{what};
  while (!rest.empty()) rest = rest.subspan(to.write(rest));
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t rounds = 100'000;
  bench::parse(argc, argv, "The round trip of 64 bytes through shared memory, both ends polling.",
               {{"rounds", &rounds, "Round trips"}});

  constexpr std::size_t each = byte_ring::memory_for(capacity);
  void* const memory =
      ::mmap(nullptr, 2 * each, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) bench::fail("no shared memory");
  const std::span bytes{static_cast<std::byte*>(memory), 2 * each};
  const byte_ring there{bytes.first(each)};
  const byte_ring back{bytes.last(each)};

  constexpr std::byte end{0xff};
  const pid_t child = ::fork();
  if (child < 0) bench::fail("no child");
  if (child == 0) {
    ring_reader in{there};
    ring_writer out{back};
    message one{};
    do {
      receive(in, one);
      send(out, one);
    } while (one.front() != end);
    ::_exit(0);
  }

  ring_writer out{there};
  ring_reader in{back};
  std::vector<double> times;
  message sent{};
  message received{};
  for (std::int64_t round = 0; round < rounds + rounds / 10; ++round) {
    sent.back() = static_cast<std::byte>(round);
    const bench::stopwatch watch;
    send(out, sent);
    receive(in, received);
    if (round >= rounds / 10) times.push_back(watch.seconds());
    bench::expect(received == sent, "the message that came back");
  }
  sent.front() = end;
  send(out, sent);
  ::waitpid(child, nullptr, 0);
  bench::print({{"median_seconds", bench::quantile(times, 0.5)}});
}
