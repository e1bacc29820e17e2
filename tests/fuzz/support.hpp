// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <span>

#include <sanitizer/allocator_interface.h>

/// What the fuzz targets share.
namespace fuzz {

/// A property of the code under test. Where one does not hold, the input is a finding.
inline void holds(bool property, const char* name,
                  std::source_location where = std::source_location::current()) {
  if (property) return;
  std::fprintf(stderr, "%s:%u: does not hold: %s\n", where.file_name(),
               static_cast<unsigned>(where.line()), name);
  std::abort();
}

/// An input, read from its front as a list of orders. Reads zeros behind its end.
class script {
 public:
  script(const std::uint8_t* data, std::size_t size) : rest_{data, size} {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }

  std::span<const std::byte> bytes(std::size_t most) {
    const auto taken = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return std::as_bytes(taken);
  }

  template <class Number>
  Number number() {
    Number value{};
    const auto from = bytes(sizeof value);
    if (!from.empty()) std::memcpy(&value, from.data(), from.size());
    return value;
  }
  /// 0 to 255.
  unsigned byte() { return number<std::uint8_t>(); }
  /// 0 to `highest`.
  std::size_t up_to(std::size_t highest) {
    return highest < 0xffU ? byte() % (highest + 1) : number<std::uint32_t>() % (highest + 1);
  }

 private:
  std::span<const std::uint8_t> rest_;
};

/// How much memory was asked for since `begin`. Counts for this thread, wherever `malloc` is
/// called.
class allocations {
 public:
  static void begin();
  static std::size_t in_all() { return in_all_; }
  static std::size_t largest() { return largest_; }

 private:
  static void count(const volatile void*, std::size_t size) {
    in_all_ += size;
    largest_ = std::max(largest_, size);
  }

  static inline thread_local std::size_t in_all_ = 0;
  static inline thread_local std::size_t largest_ = 0;
};

inline void allocations::begin() {
  [[maybe_unused]] static const int installed =
      __sanitizer_install_malloc_and_free_hooks(&count, [](const volatile void*) {});
  in_all_ = largest_ = 0;
}

/// Does what a worker wants done, and sees that it asks for no piece of memory that is large.
template <class Work>
void in_little_memory(Work work) {
  allocations::begin();
  work();
  holds(allocations::largest() <= std::size_t{1} << 20U,
        "no worker makes the parent take much memory");
}

}  // namespace fuzz
