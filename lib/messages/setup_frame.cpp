// SPDX-License-Identifier: BSL-1.0
#include "messages/setup_frame.hpp"

#include <cstring>

#include "messages/frame.hpp"

namespace coterie::detail {

namespace {

void put(byte_buffer& out, const worker_function& function) {
  const std::uint64_t fields[] = {function.factory.module, function.factory.offset,
                                  function.callable.size()};
  out.append(fields, sizeof fields);
  out.append(function.callable.data(), function.callable.size());
}

void take(std::span<const std::byte>& from, void* to, std::size_t size) {
  if (from.size() < size) throw bad_frame{"a setup frame ends too early"};
  std::memcpy(to, from.data(), size);
  from = from.subspan(size);
}

void take(std::span<const std::byte>& from, worker_function& function) {
  std::uint64_t fields[3];
  take(from, fields, sizeof fields);
  function.factory = {fields[0], fields[1]};
  if (fields[2] > from.size()) throw bad_frame{"a setup frame ends too early"};
  const auto size = static_cast<std::size_t>(fields[2]);
  function.callable.assign(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size));
  from = from.subspan(size);
}

}  // namespace

void encode(byte_buffer& out, const worker_setup& setup) {
  out.append(&setup.size, sizeof setup.size);
  put(out, setup.initializer);
  put(out, setup.finalizer);
}

worker_setup decode_setup(std::span<const std::byte> bytes) {
  worker_setup setup;
  take(bytes, &setup.size, sizeof setup.size);
  take(bytes, setup.initializer);
  take(bytes, setup.finalizer);
  return setup;
}

}  // namespace coterie::detail
