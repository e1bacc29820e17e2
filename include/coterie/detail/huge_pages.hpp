// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace coterie::detail {

/// Less than this is not worth the question: two huge pages of x86-64.
inline constexpr std::size_t least_for_huge_pages = std::size_t{4} << 20U;

/// Asks the kernel for huge pages in memory that is about to be filled for the first time. Most of
/// the time that copying into new memory takes is spent on getting its pages: with large ones it
/// takes a quarter (64 MiB, Linux 6.18: 5.0 instead of 1.1 GB/s). A wish: nothing comes of it if
/// the system has none, or grants them to all processes or to none.
void prefer_huge_pages(void* begin, std::size_t size) noexcept;

}  // namespace coterie::detail
