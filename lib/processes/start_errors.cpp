// SPDX-License-Identifier: BSL-1.0
#include "processes/start_errors.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace coterie::detail {

namespace {

std::string link_text(const char* link) {
  std::error_code none;
  return std::filesystem::read_symlink(link, none).string();
}

}  // namespace

std::string why_no_workers() {
  constexpr const char* of_children = "/proc/self/ns/pid_for_children";
  struct stat about{};
  if (::stat("/proc/self", &about) != 0) {
    return "/proc is not mounted, and workers are started through it";
  }
  const std::string own = link_text("/proc/self/ns/pid");
  // Linux tells since 4.12. The link leads nowhere while the new namespace waits for its first
  // process.
  if (own.empty() || ::lstat(of_children, &about) != 0 || own == link_text(of_children)) return {};
  return "the children of this process live in another pid namespace than itself: call unshare with "
         "--fork, so that the program is in there too";
}

std::string why_not_started(int error, const std::string& path) {
  struct stat about{};
  const auto is_missing = [&](const char* what) { return ::stat(what, &about) != 0; };
  if (error == ENOENT || error == ENOTDIR) {
    if (is_missing("/dev/null")) return "there is no /dev/null, their standard input";
    if (is_missing(path.c_str())) return "there is no " + path + " any more";
    return "the loader that " + link_text("/proc/self/exe") + " names (ldd tells) is not there";
  }
  if (error == EACCES || error == EPERM) {
    if (::access("/dev/null", R_OK) != 0) return "/dev/null, their standard input, cannot be read";
    return link_text("/proc/self/exe") +
           " may not be executed any more: by its permissions, or because its "
           "file system was mounted with noexec";
  }
  if (error == EAGAIN) {
    return "the limit of processes (ulimit -u, or the container's pids.max) is reached";
  }
  if (error == E2BIG) {
    return "its environment and its arguments are together longer than the system allows: see "
           "pool_options::environment";
  }
  return {};
}

}  // namespace coterie::detail
