// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/huge_pages.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace coterie::detail {

void prefer_huge_pages(void* begin, std::size_t size) noexcept {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  // Whole pages only: what is beside them belongs to other objects.
  const auto first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) / page * page;
  const auto last = (reinterpret_cast<std::uintptr_t>(begin) + size) / page * page;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

}  // namespace coterie::detail
