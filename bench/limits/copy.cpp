// SPDX-License-Identifier: BSL-1.0

// The limit of moving much: `memcpy` of arrays into one buffer that has been used before, and into
// pages that the kernel has yet to give.

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../support/contender.hpp"

namespace {

/// Pages that were never touched.
class fresh_pages {
 public:
  explicit fresh_pages(std::size_t size)
      : size_{size},
        begin_{::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)} {
    if (begin_ == MAP_FAILED) bench::fail("no memory");
  }
  fresh_pages(const fresh_pages&) = delete;
  fresh_pages& operator=(const fresh_pages&) = delete;
  ~fresh_pages() { ::munmap(begin_, size_); }

  [[nodiscard]] void* begin() const { return begin_; }

 private:
  std::size_t size_;
  void* begin_;
};

}  // namespace

int main(int argc, char** argv) {
  std::int64_t arrays = 16;
  std::int64_t mebibytes = 64;
  std::int64_t fresh = 0;
  bench::parse(argc, argv, "memcpy of arrays.",
               {{"arrays", &arrays, "How many"},
                {"mebibytes", &mebibytes, "The size of each"},
                {"fresh", &fresh, "1: into fresh pages, 0: into a warm buffer"}});
  const std::size_t size = static_cast<std::size_t>(mebibytes) << 20U;

  std::vector<std::vector<char>> sources;
  for (std::int64_t i = 0; i < arrays; ++i) sources.emplace_back(size, static_cast<char>('a' + i));
  std::vector<char> warm(size, 'x');

  double seconds = 0;
  for (const auto& source : sources) {
    if (fresh == 0) {
      const bench::stopwatch watch;
      std::memcpy(warm.data(), source.data(), size);
      seconds += watch.seconds();
      bench::expect(std::memcmp(warm.data(), source.data(), size) == 0, "the copy");
    } else {
      const bench::stopwatch watch;
      const fresh_pages pages{size};
      std::memcpy(pages.begin(), source.data(), size);
      seconds += watch.seconds();
      bench::expect(std::memcmp(pages.begin(), source.data(), size) == 0, "the copy");
    }
  }
  bench::print(
      {{"seconds", seconds},
       {"bytes_per_second", static_cast<double>(size) * static_cast<double>(arrays) / seconds}});
}
