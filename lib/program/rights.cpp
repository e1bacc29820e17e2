// SPDX-License-Identifier: BSL-1.0
#include "program/rights.hpp"

#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace coterie::detail {

bool started_with_more_rights() noexcept { return ::getauxval(AT_SECURE) != 0; }

worker_rights start_rights() noexcept {
  if (::getuid() != ::geteuid() || ::getgid() != ::getegid()) return worker_rights::undecided;
  constexpr const char* own_file = "/proc/self/exe";
  struct statvfs where{};
  if (::statvfs(own_file, &where) == 0 && (where.f_flag & ST_NOSUID) != 0) {
    return worker_rights::as_here;
  }
  // Root has them all anyway.
  if (::geteuid() != 0 && ::getxattr(own_file, "security.capability", nullptr, 0) > 0) {
    return worker_rights::undecided;
  }
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) return worker_rights::as_here;
  struct stat file{};
  if (::stat(own_file, &file) != 0) return worker_rights::as_here;
  const bool other_user = (file.st_mode & S_ISUID) != 0 && file.st_uid != ::geteuid();
  constexpr mode_t sets_group = S_ISGID | S_IXGRP;
  const bool other_group = (file.st_mode & sets_group) == sets_group && file.st_gid != ::getegid();
  return other_user || other_group ? worker_rights::none_to_gain : worker_rights::as_here;
}

}  // namespace coterie::detail
