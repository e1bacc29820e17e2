// SPDX-License-Identifier: BSL-1.0
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "frames.hpp"
#include "support/open_descriptors.hpp"
#include "system/descriptor_channel.hpp"
#include "system/shared_memory.hpp"
#include "system/unique_descriptor.hpp"

namespace {

using namespace coterie::detail;
using frames::bytes;
using frames::pattern;

struct socket_pair {
  socket_pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    here = unique_descriptor{ends[0]};
    there = unique_descriptor{ends[1]};
  }
  unique_descriptor here, there;
};

/// Files that can be told apart.
std::vector<unique_descriptor> some_files(std::size_t count) {
  std::vector<unique_descriptor> files;
  while (files.size() < count) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    files.emplace_back(ends[0]);
    ::close(ends[1]);
  }
  return files;
}

/// Whether both descriptors are of one file.
bool same_file(const unique_descriptor& one, const unique_descriptor& other) {
  struct stat first{};
  struct stat second{};
  REQUIRE(::fstat(one.get(), &first) == 0);
  REQUIRE(::fstat(other.get(), &second) == 0);
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/// What no well-behaved sender does: many descriptors with one message.
void send_many(int socket, std::span<const std::byte> text,
               const std::vector<unique_descriptor>& files) {
  std::vector<int> numbers;
  numbers.reserve(files.size());
  for (const auto& each : files) numbers.push_back(each.get());
  const std::size_t size = numbers.size() * sizeof(int);
  std::vector<std::byte> control(CMSG_SPACE(size));
  iovec piece{const_cast<std::byte*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(header), numbers.data(), size);
  REQUIRE(::sendmsg(socket, &message, 0) == static_cast<ssize_t>(text.size()));
}

void send_plain(int socket, std::span<const std::byte> text) {
  REQUIRE(::send(socket, text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}

/// Sends what fits, and returns how much that was.
std::size_t fill(int socket) {
  const bytes block = pattern(4096);
  std::size_t sent = 0;
  for (;;) {
    const auto count = ::send(socket, block.data(), block.size(), MSG_DONTWAIT);
    if (count < 0) return sent;
    sent += static_cast<std::size_t>(count);
  }
}

// Signals that come every millisecond, and end a system call that waits. The fifth lets the call
// end.
volatile std::sig_atomic_t signals_seen = 0;
volatile std::sig_atomic_t socket_to_move = -1;
void (*volatile at_the_fifth)() = nullptr;

extern "C" void count_signal(int) {
  const int error = errno;
  signals_seen = signals_seen + 1;
  if (signals_seen == 5) at_the_fifth();
  errno = error;
}

class interruptions {
 public:
  explicit interruptions(int socket, void (*then)()) {
    signals_seen = 0;
    socket_to_move = socket;
    at_the_fifth = then;
    struct sigaction action{};
    action.sa_handler = count_signal;  // without SA_RESTART
    ::sigaction(SIGALRM, &action, &before_);
    set(1000);
  }
  interruptions(const interruptions&) = delete;
  interruptions& operator=(const interruptions&) = delete;
  ~interruptions() {
    set(0);
    ::sigaction(SIGALRM, &before_, nullptr);
  }

 private:
  static void set(int microseconds) {
    itimerval timer{};
    timer.it_interval.tv_usec = microseconds;
    timer.it_value.tv_usec = microseconds;
    ::setitimer(ITIMER_REAL, &timer, nullptr);
  }
  struct sigaction before_{};
};

}  // namespace

TEST_CASE("given a descriptor, when it is sent with bytes, then both arrive") {
  const socket_pair sockets;
  const auto files = some_files(1);
  const bytes text = pattern(11);
  const channel_sent sent = send_with_descriptor(sockets.here.get(), text, files[0].get(), 0);
  REQUIRE(sent.outcome == channel_outcome::moved);
  CHECK(sent.count == 11);

  bytes to(100);
  const channel_received received = receive_with_descriptors(sockets.there.get(), to, 0);
  REQUIRE(received.outcome == channel_outcome::moved);
  CHECK(received.count == 11);
  CHECK(frames::same(std::span{to}.first(11), text));
  REQUIRE(received.descriptor_count == 1);
  CHECK_FALSE(received.lost_descriptors);
  CHECK(received.descriptors[0].get() != files[0].get());
  CHECK(same_file(received.descriptors[0], files[0]));
  CHECK((::fcntl(received.descriptors[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("given shared memory, when its descriptor is sent, then both ends see the same bytes") {
  const socket_pair sockets;
  const shared_memory made = shared_memory::create(5000);
  REQUIRE(send_with_descriptor(sockets.here.get(), pattern(1), made.descriptor(), 0).count == 1);
  bytes to(1);
  auto received = receive_with_descriptors(sockets.there.get(), to, 0);
  REQUIRE(received.descriptor_count == 1);
  const auto opened = shared_memory::open(std::move(received.descriptors[0]), 5000);
  REQUIRE(opened.bytes().data() != made.bytes().data());
  made.bytes()[4999] = std::byte{42};
  CHECK(opened.bytes()[4999] == std::byte{42});
}

TEST_CASE("given bytes without descriptors, when they are received, then they come alone") {
  const socket_pair sockets;
  send_plain(sockets.here.get(), pattern(5));
  bytes to(100);
  const channel_received received = receive_with_descriptors(sockets.there.get(), to, 0);
  CHECK(received.outcome == channel_outcome::moved);
  CHECK(received.count == 5);
  CHECK(received.descriptor_count == 0);
  CHECK_FALSE(received.lost_descriptors);
}

TEST_CASE(
    "given messages around one with a descriptor, when they are received, then it is the last") {
  const socket_pair sockets;
  const auto files = some_files(2);
  const bytes text = pattern(14);
  const std::span all{text};
  send_plain(sockets.here.get(), all.first(4));
  REQUIRE(send_with_descriptor(sockets.here.get(), all.subspan(4, 3), files[0].get(), 0).count ==
          3);
  REQUIRE(send_with_descriptor(sockets.here.get(), all.subspan(7, 2), files[1].get(), 0).count ==
          2);
  send_plain(sockets.here.get(), all.subspan(9));

  SECTION("with much room: what came before is in front, what comes behind is not there yet") {
    bytes to(100);
    auto received = receive_with_descriptors(sockets.there.get(), to, 0);
    CHECK(received.count == 7);
    REQUIRE(received.descriptor_count == 1);
    CHECK(same_file(received.descriptors[0], files[0]));
    received = receive_with_descriptors(sockets.there.get(), to, 0);
    CHECK(received.count == 2);
    REQUIRE(received.descriptor_count == 1);
    CHECK(same_file(received.descriptors[0], files[1]));
    received = receive_with_descriptors(sockets.there.get(), to, 0);
    CHECK(received.count == 5);
    CHECK(received.descriptor_count == 0);
  }
  SECTION("byte by byte: it comes with the first of its own") {
    for (std::size_t at = 0; at < text.size(); ++at) {
      bytes to(1);
      const auto received = receive_with_descriptors(sockets.there.get(), to, 0);
      REQUIRE(received.count == 1);
      REQUIRE(to[0] == text[at]);
      REQUIRE(received.descriptor_count == (at == 4 || at == 7 ? 1 : 0));
      if (at == 4) CHECK(same_file(received.descriptors[0], files[0]));
      if (at == 7) CHECK(same_file(received.descriptors[0], files[1]));
    }
  }
}

TEST_CASE(
    "given many descriptors in one message, when they come, then in their order, and no more") {
  const socket_pair sockets;
  const auto files = some_files(60);
  const int before = open_descriptors();
  for (std::size_t count = 1; count <= files.size(); ++count) {
    auto some = std::vector<unique_descriptor>{};
    for (std::size_t each = 0; each < count; ++each) {
      some.emplace_back(::fcntl(files[each].get(), F_DUPFD_CLOEXEC, 0));
    }
    send_many(sockets.here.get(), pattern(3), some);
    some.clear();
    {
      bytes to(100);
      const auto received = receive_with_descriptors(sockets.there.get(), to, 0);
      REQUIRE(received.count == 3);
      REQUIRE(received.descriptor_count == std::min(count, most_descriptors));
      REQUIRE(received.lost_descriptors == (count > most_descriptors));
      for (std::size_t each = 0; each < received.descriptor_count; ++each) {
        REQUIRE(same_file(received.descriptors[each], files[each]));
      }
    }
    REQUIRE(open_descriptors() == before);
  }
}

TEST_CASE("given a process without free descriptors, when some come, then that is told") {
  const socket_pair sockets;
  send_many(sockets.here.get(), pattern(3), some_files(5));
  // So that exactly two are free.
  const auto two = some_files(2);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const unique_descriptor next{::dup(0)};
  rlimit few = before;
  few.rlim_cur = static_cast<rlim_t>(next.get());
  const int first_of_two = two[0].get();
  const int second_of_two = two[1].get();
  REQUIRE(first_of_two < next.get());
  REQUIRE(second_of_two < next.get());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  ::close(first_of_two);
  ::close(second_of_two);
  bytes to(100);
  const auto received = receive_with_descriptors(sockets.there.get(), to, 0);
  const int again = ::dup(0);
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(again < 0);
  CHECK(received.outcome == channel_outcome::moved);
  CHECK(received.count == 3);
  CHECK(received.descriptor_count == 2);
  CHECK(received.lost_descriptors);
}

TEST_CASE("given a descriptor that is not received, when the socket closes, then it is closed") {
  const auto files = some_files(1);
  const int before = open_descriptors();
  {
    const socket_pair sockets;
    REQUIRE(send_with_descriptor(sockets.here.get(), pattern(3), files[0].get(), 0).count == 3);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("given nothing to receive, when it is tried, then that is told apart from an end") {
  socket_pair sockets;
  bytes to(10);
  auto received = receive_with_descriptors(sockets.there.get(), to, MSG_DONTWAIT);
  CHECK(received.outcome == channel_outcome::would_block);
  CHECK(received.count == 0);
  send_plain(sockets.here.get(), pattern(4));
  sockets.here.reset();
  received = receive_with_descriptors(sockets.there.get(), to, MSG_DONTWAIT);
  CHECK(received.outcome == channel_outcome::moved);
  CHECK(received.count == 4);
  for (int time = 0; time < 2; ++time) {
    received = receive_with_descriptors(sockets.there.get(), to, MSG_DONTWAIT);
    CHECK(received.outcome == channel_outcome::ended);
    CHECK(received.count == 0);
  }
}

TEST_CASE("given an end that left bytes unread, when the other receives, then all, and the end") {
  socket_pair sockets;
  send_plain(sockets.there.get(), pattern(4));
  send_plain(sockets.here.get(), pattern(5));
  sockets.here.reset();
  bytes to(10);
  auto received = receive_with_descriptors(sockets.there.get(), to, 0);
  CHECK(received.outcome == channel_outcome::moved);
  CHECK(received.count == 5);
  for (int time = 0; time < 2; ++time) {
    received = receive_with_descriptors(sockets.there.get(), to, 0);
    CHECK(received.outcome == channel_outcome::ended);
  }
}

TEST_CASE("given a closed end, when a descriptor is sent, then that is told, and no signal comes") {
  socket_pair sockets;
  const auto files = some_files(1);
  sockets.there.reset();
  const auto sent = send_with_descriptor(sockets.here.get(), pattern(3), files[0].get(), 0);
  CHECK(sent.outcome == channel_outcome::ended);
  CHECK(sent.count == 0);
}

TEST_CASE("given a full socket, when a descriptor is sent, then it is not, until there is room") {
  const socket_pair sockets;
  const auto files = some_files(1);
  std::size_t before = fill(sockets.here.get());
  auto sent = send_with_descriptor(sockets.here.get(), pattern(3), files[0].get(), MSG_DONTWAIT);
  CHECK(sent.outcome == channel_outcome::would_block);
  CHECK(sent.count == 0);
  bytes to(4096);
  while (before > 0) {
    const auto received = receive_with_descriptors(sockets.there.get(), to, 0);
    REQUIRE(received.outcome == channel_outcome::moved);
    REQUIRE(received.descriptor_count == 0);
    before -= received.count;
  }
  sent = send_with_descriptor(sockets.here.get(), pattern(3), files[0].get(), MSG_DONTWAIT);
  CHECK(sent.count == 3);
  CHECK(receive_with_descriptors(sockets.there.get(), to, 0).descriptor_count == 1);
}

TEST_CASE("given what cannot be sent or received, when it is tried, then the error is told") {
  const socket_pair sockets;
  const auto files = some_files(1);
  const auto error_of = [](const channel_sent& result) {
    CHECK(result.outcome == channel_outcome::failed);
    CHECK(result.count == 0);
    return result.error;
  };
  CHECK(error_of(send_with_descriptor(sockets.here.get(), {}, files[0].get(), 0)) == EINVAL);
  CHECK(error_of(send_with_descriptor(sockets.here.get(), pattern(1), -1, 0)) == EBADF);
  CHECK(error_of(send_with_descriptor(-1, pattern(1), files[0].get(), 0)) == EBADF);
  CHECK(error_of(send_with_descriptor(files[0].get(), pattern(1), files[0].get(), 0)) == ENOTSOCK);
  bytes to(10);
  CHECK(error_of(receive_with_descriptors(-1, to, 0)) == EBADF);
  CHECK(error_of(receive_with_descriptors(files[0].get(), to, 0)) == ENOTSOCK);
  // None of it has left a trace.
  CHECK(receive_with_descriptors(sockets.there.get(), to, MSG_DONTWAIT).outcome ==
        channel_outcome::would_block);
}

TEST_CASE("given signals, when something is received, then they are not seen") {
  const socket_pair sockets;
  bytes to(10);
  const interruptions many{sockets.here.get(),
                           [] { static_cast<void>(::send(socket_to_move, "abc", 3, 0)); }};
  const auto received = receive_with_descriptors(sockets.there.get(), to, 0);
  CHECK(signals_seen >= 5);
  CHECK(received.outcome == channel_outcome::moved);
  CHECK(received.count == 3);
}

TEST_CASE("given signals, when a descriptor is sent, then they are not seen") {
  const socket_pair sockets;
  const auto files = some_files(1);
  REQUIRE(fill(sockets.here.get()) > 0);
  {
    const interruptions many{sockets.there.get(), [] {
                               static char taken[1 << 20];
                               static_cast<void>(::recv(socket_to_move, taken, sizeof taken, 0));
                             }};
    const auto sent = send_with_descriptor(sockets.here.get(), pattern(3), files[0].get(), 0);
    CHECK(signals_seen >= 5);
    CHECK(sent.outcome == channel_outcome::moved);
    CHECK(sent.count == 3);
  }
  bytes to(1 << 20);
  std::size_t came = 0;
  for (;;) {
    const auto received = receive_with_descriptors(sockets.there.get(), to, MSG_DONTWAIT);
    if (received.outcome != channel_outcome::moved) break;
    came += received.descriptor_count;
  }
  CHECK(came == 1);
}
