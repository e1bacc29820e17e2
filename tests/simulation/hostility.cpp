// SPDX-License-Identifier: BSL-1.0
#include "hostility.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "channel/begun_counter.hpp"
#include "channel/doorbell.hpp"
#include "channel/ring_pair.hpp"
#include "system/descriptor_channel.hpp"

namespace simulation {

namespace detail = coterie::detail;
namespace message = coterie::detail::message;

void hostility::link_is(detail::worker_transport& transport, std::size_t capacity, int counter) {
  transport_ = &transport;
  counter_ = counter;
  capacity_ = capacity;
  if (capacity == 0) return;
  // The open results are the last part of what is shared.
  const std::size_t before =
      detail::claims::memory_size + 2 * detail::byte_ring::memory_for(capacity);
  auto* const results = reinterpret_cast<std::byte*>(&transport.results().whole());
  memory_ = {results - before, detail::ring_pair::memory_for(capacity)};
}

void hostility::is_at(detail::job_id job, detail::chunk_id chunk, std::size_t first) {
  job_ = job;
  chunk_ = chunk;
  first_ = first;
}

void hostility::got_memory(int descriptor) {
  segments_.emplace_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
}

hostile_act hostility::act() {
  switch (chance_.below(shares_memory() ? 16 : 10)) {
    case 0:
      return random_bytes();
    case 1:
      return bells();
    case 2:
      return descriptors();
    case 3:
      return closes();
    case 4:
    case 5:
    case 6:
    case 7:
      return transport_ != nullptr ? wrong_frame() : random_bytes();
    default:
      return shares_memory() ? scribble() : over_counter();
  }
}

// ---- on the socket ----------------------------------------------------------------------------

hostile_act hostility::random_bytes() {
  std::array<std::byte, 300> bytes;
  const auto some = std::span{bytes}.first(chance_.between(1, bytes.size()));
  fill(some);
  // Neither a bell, nor the first byte of a frame.
  some.front() = std::byte{0xee};
  const auto sent = ::send(socket_, some.data(), some.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent <= 0) return {.what = "sends bytes into a socket that is full"};
  hostile_act did{.what = "sends " + std::to_string(sent) + " random bytes"};
  if (shares_memory()) {
    did.must_be_seen = true;
  } else {
    // In the middle of a frame these become its payload.
    did.spoils = values | losses | delays | progress;
  }
  return did;
}

hostile_act hostility::bells() {
  const std::size_t count = chance_.between(1, 2000);
  for (std::size_t i = 0; i < count; ++i) detail::ring_doorbell(socket_);
  return {.what = "rings " + std::to_string(count) + " bells",
          .spoils = shares_memory() ? nothing : values | losses | delays | progress};
}

hostile_act hostility::descriptors() {
  std::size_t count = chance_.between(1, 20);
  while (count-- > 0) {
    detail::send_with_descriptor(socket_, {&detail::doorbell, 1}, socket_, MSG_DONTWAIT);
  }
  return {.what = "sends descriptors",
          .spoils = shares_memory() ? nothing : values | losses | delays | progress};
}

hostile_act hostility::closes() {
  // Its number stays taken, since other workers live in this process.
  const detail::unique_descriptor other{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  ::dup2(other.get(), socket_);
  return {.what = "closes its socket", .must_be_seen = true};
}

hostile_act hostility::over_counter() {
  std::uint64_t value = 0;
  if (chance_.once_in(3)) {
    if (counter_ >= 0) static_cast<void>(::read(counter_, &value, sizeof value));
    return {.what = "forgets what it has claimed", .spoils = claims};
  }
  // Some items more, or chunks.
  value = odd_number(1) << (chance_.once_in(2) ? detail::begun_items::item_bits : 0U);
  if (counter_ >= 0) static_cast<void>(::write(counter_, &value, sizeof value));
  return {.what = "counts items that it does not claim", .spoils = claims};
}

void hostility::ring() {
  if (chance_.once_in(2)) detail::ring_doorbell(socket_);
}

// ---- frames -----------------------------------------------------------------------------------

void hostility::write(const detail::frame_header& header, std::span<const std::byte> payload) {
  std::vector<std::byte> bytes(sizeof header + payload.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  std::ranges::copy(payload, bytes.begin() + sizeof header);
  for (std::size_t sent = 0; sent < bytes.size();) {
    const iovec rest{bytes.data() + sent, bytes.size() - sent};
    sent += transport_->write({&rest, 1});
  }
  transport_->notify();
}

hostile_act hostility::wrong_frame() {
  const auto count =
      static_cast<std::uint32_t>(chance_.once_in(4) ? odd_number(1) : chance_.between(0, 4));
  const auto job = chance_.once_in(4) ? odd_number(job_) : job_;
  const auto chunk = chance_.once_in(4) ? odd_number(chunk_) : chunk_;
  const auto first = chance_.once_in(4) ? odd_number(first_) : first_;
  std::string what;
  bool may_go_on = true;
  detail::frame_header header;
  switch (chance_.below(8)) {
    case 0:
    case 1:
    case 2:
      what = "values";
      header = detail::frame_header::of(message::values{
          .job = job,
          .chunk = chunk,
          .first = static_cast<std::uint32_t>(first),
          .count = count,
          .claimed = count,
          .busy = chance_.once_in(2) ? 0 : static_cast<std::uint32_t>(odd_number(1000))});
      break;
    case 3:
      what = "a failure";
      header =
          detail::frame_header::of(message::failure{.job = job, .chunk = chunk, .item = first});
      break;
    case 4:
      what = "the end of a chunk";
      header = detail::frame_header::of(
          message::done{.job = job, .chunk = chunk, .busy = odd_number(1000)});
      break;
    case 5:
      what = "a wish for memory";
      may_go_on = false;  // the real worker would take it into use, whatever its size
      header = detail::frame_header::of(
          message::want_segment{.segment = chance_.below(4), .size = odd_number(300'000)});
      break;
    case 6:
      what = "a message that is not its own";
      header.kind = static_cast<detail::message_kind>(chance_.below(20));
      break;
    default:
      what = "any message";
      fill({reinterpret_cast<std::byte*>(&header), sizeof header});
      if (chance_.once_in(2)) header.magic = detail::frame_header::right_magic;
  }
  if (chance_.once_in(8)) header.segment = static_cast<detail::segment_number>(chance_.below(5));
  // Whole records, or what may be parts of them.
  const std::size_t size = chance_.once_in(2) ? 16 * chance_.below(8) : 8 * count % 4096;
  std::vector<std::byte> payload(detail::padded(size));
  if (chance_.once_in(2)) fill(payload);
  header.length = chance_.once_in(4) ? odd_number(size) : size;
  // It may wait for room in the middle, and the parent see the beginning.
  when_it_begins({.what = "says " + what, .spoils = values | losses | delays | progress});
  write(header, payload);
  return {.may_go_on = may_go_on};
}

// ---- numbers ----------------------------------------------------------------------------------

// One that could be right, or could not.
std::uint64_t hostility::odd_number(std::uint64_t near) {
  switch (chance_.below(6)) {
    case 0:
      return near + 1;
    case 1:
      return near - 1;
    case 2:
      return near + chance_.below(5000);
    case 3:
      return near - chance_.below(5000);
    case 4:
      return 0;
    default:
      return chance_.next() >> chance_.below(64);
  }
}

void hostility::fill(std::span<std::byte> bytes) {
  for (std::byte& each : bytes) each = static_cast<std::byte>(chance_.next());
}

}  // namespace simulation
