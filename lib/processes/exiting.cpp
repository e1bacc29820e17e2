// SPDX-License-Identifier: BSL-1.0
#include "processes/exiting.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "system/unique_descriptor.hpp"

namespace coterie::detail {

bool is_exiting(pid_t child) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", child);
  const unique_descriptor file{::open(path.data(), O_RDONLY | O_CLOEXEC)};
  std::array<char, 1024> text{};
  const auto size = file ? ::read(file.get(), text.data(), text.size() - 1) : -1;
  if (size <= 0) return true;
  // "pid (name) state ppid pgrp session tty_nr tpgid flags ..."; the name may hold anything.
  const std::string_view line{text.data(), static_cast<std::size_t>(size)};
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= line.size()) return true;
  const char state = line[name_end + 2];
  if (state == 'Z' || state == 'X') return true;
  // Behind the state: ppid, pgrp, session, tty_nr, tpgid, flags.
  std::array<long, 6> fields{};
  const char* at = text.data() + name_end + 3;
  for (long& field : fields) {
    char* behind = nullptr;
    field = std::strtol(at, &behind, 10);
    if (behind == at) return true;
    at = behind;
  }
  // In a /proc of another pid namespace the number names another process.
  if (fields.front() != ::getpid()) return true;
  constexpr long exiting = 0x4;  // PF_EXITING of the kernel
  return (fields.back() & exiting) != 0;
}

}  // namespace coterie::detail
