// SPDX-License-Identifier: BSL-1.0
#include "system/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <ctime>

namespace coterie::detail {

namespace {

const std::uint32_t* lower_half(const std::uint64_t& word) noexcept {
  const auto* const halves = reinterpret_cast<const std::uint32_t*>(&word);
  return std::endian::native == std::endian::little ? halves : halves + 1;
}

}  // namespace

bool wait_on_word(const std::uint64_t& word, std::uint64_t value,
                  std::chrono::nanoseconds limit) noexcept {
  const auto whole = std::chrono::floor<std::chrono::seconds>(limit);
  const timespec time{.tv_sec = static_cast<std::time_t>(whole.count()),
                      .tv_nsec = static_cast<long>((limit - whole).count())};
  return ::syscall(SYS_futex, lower_half(word), FUTEX_WAIT, static_cast<std::uint32_t>(value),
                   &time, nullptr, 0) == 0 ||
         errno != ETIMEDOUT;
}

void wake_word(const std::uint64_t& word) noexcept {
  ::syscall(SYS_futex, lower_half(word), FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

}  // namespace coterie::detail
