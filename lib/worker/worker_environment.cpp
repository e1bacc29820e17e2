// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_environment.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace coterie::detail {

std::string worker_environment::assignment() const {
  return std::string{variable} + "=" + std::to_string(rank) + ":" + std::to_string(parent);
}

std::optional<worker_environment> worker_environment::find() {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const char* const end = text + std::strlen(text);
  worker_environment found;
  const auto rank = std::from_chars(text, end, found.rank);
  if (rank.ec != std::errc{} || rank.ptr == end || *rank.ptr != ':') return std::nullopt;
  const auto parent = std::from_chars(rank.ptr + 1, end, found.parent);
  if (parent.ec != std::errc{} || parent.ptr != end) return std::nullopt;
  return found;
}

void worker_environment::forget() { ::unsetenv(variable); }

}  // namespace coterie::detail
