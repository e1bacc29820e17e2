// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <dirent.h>

#include <catch2/catch.hpp>

/// How many descriptors this process has open, and a few more: the same again if none has leaked.
inline int open_descriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  REQUIRE(folder != nullptr);
  int count = 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}
