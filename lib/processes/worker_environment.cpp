// SPDX-License-Identifier: BSL-1.0
#include "processes/worker_environment.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "system/file_identity.hpp"

namespace coterie::detail {

namespace {

constexpr std::string_view ends_group = ":group";
constexpr std::string_view ends_worker = ":worker";

// Whether a process has this program's file in its memory, though it executes another: valgrind's
// tool does so, and a worker that it does not trace is started without it.
bool has_loaded_this(pid_t process) {
  std::error_code none;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", none).string();
  std::ifstream maps{"/proc/" + std::to_string(process) + "/maps"};
  for (std::string line; !program.empty() && std::getline(maps, line);) {
    if (line.ends_with(" " + program)) return true;
  }
  return false;
}

}  // namespace

std::string worker_environment::assignment() const {
  return std::string{variable} + "=" + std::to_string(rank) + ":" + std::to_string(parent) +
         std::string{ends == ends_with_parent::process_group ? ends_group : ends_worker};
}

std::optional<worker_environment> worker_environment::find() {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const char* const end = text + std::strlen(text);
  worker_environment found;
  const auto rank = std::from_chars(text, end, found.rank);
  if (rank.ec != std::errc{} || rank.ptr == end || *rank.ptr != ':') return std::nullopt;
  const auto parent = std::from_chars(rank.ptr + 1, end, found.parent);
  if (parent.ec != std::errc{}) return std::nullopt;
  const std::string_view ends{parent.ptr, end};
  if (ends != ends_group && ends != ends_worker) return std::nullopt;
  if (ends == ends_worker) found.ends = ends_with_parent::worker;
  return found;
}

bool worker_environment::is_proven() const noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(link_descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
      type != SOCK_STREAM) {
    return false;
  }
  ucred maker{};
  size = sizeof maker;
  if (::getsockopt(link_descriptor, SOL_SOCKET, SO_PEERCRED, &maker, &size) != 0 ||
      // A parent in an outer pid namespace has no number here.
      maker.pid != (::getppid() == 0 ? 0 : parent)) {
    return false;
  }
  // A parent that has ended cannot be asked; the worker ends without having done anything.
  if (::getppid() != parent) return true;
  const std::string file = "/proc/" + std::to_string(parent) + "/exe";
  const auto here = file_identity::of("/proc/self/exe");
  const auto there = file_identity::of(file.c_str());
  return !here || !there || here == there || has_loaded_this(parent);
}

void worker_environment::forget() { ::unsetenv(variable); }

}  // namespace coterie::detail
