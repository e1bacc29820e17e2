// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

#include "event_loop.hpp"

namespace simulation {

/// What happened, as lines of text with the made-up time. The story of a seed is the same each
/// time.
class story {
 public:
  /// `loop` has the clock, and outlives it. `out`: where each line is printed at once; null:
  /// nowhere.
  story(const event_loop& loop, std::FILE* out) : loop_{loop}, out_{out} {}

  template <class... Part>
  void tell(const Part&... parts) {
    const auto when = static_cast<double>(loop_.since_start().count());
    char time[32];
    std::snprintf(time, sizeof time, "%14.6f s  ", when * 1e-9);
    std::string line = time;
    (append(line, parts), ...);
    line += '\n';
    if (out_ != nullptr) std::fputs(line.c_str(), out_);
    ++lines_;
    // FNV-1a.
    for (const char each : line)
      hash_ = (hash_ ^ static_cast<unsigned char>(each)) * 0x100000001b3U;
  }

  [[nodiscard]] std::size_t lines() const noexcept { return lines_; }
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }

 private:
  static void append(std::string& line, std::string_view text) { line += text; }
  template <class Number>
    requires(std::is_arithmetic_v<Number>)
  static void append(std::string& line, Number number) {
    line += std::to_string(number);
  }

  const event_loop& loop_;
  std::FILE* out_;
  std::size_t lines_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace simulation
