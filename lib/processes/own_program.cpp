// SPDX-License-Identifier: BSL-1.0
#include "processes/own_program.hpp"

#include <link.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace coterie::detail {

namespace {

constexpr const char* self = "/proc/self/exe";

std::string link_text(const char* link) {
  std::error_code none;
  return std::filesystem::read_symlink(link, none).string();
}

bool under_valgrind() {
  const char* const preloaded = std::getenv("LD_PRELOAD");
  return preloaded != nullptr &&
         std::string_view{preloaded}.find("/vgpreload_") != std::string::npos;
}

// The first module is the program. Its headers lie in what is mapped of its file.
std::uintptr_t address_in_program() {
  std::uintptr_t address = 0;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* found) {
        *static_cast<std::uintptr_t*>(found) = reinterpret_cast<std::uintptr_t>(info->dlpi_phdr);
        return 1;
      },
      &address);
  return address;
}

// The file that the program's own code is mapped from; empty if that cannot be told.
std::string mapped_program() {
  const std::uintptr_t address = address_in_program();
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    // "begin-end perms offset dev inode   path"
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    const char* const last = line.data() + line.size();
    const auto first = std::from_chars(line.data(), last, begin, 16);
    if (first.ec != std::errc{} || first.ptr == last) continue;
    std::from_chars(first.ptr + 1, last, end, 16);
    if (address < begin || address >= end) continue;
    const auto path = line.find('/');
    return path == std::string::npos ? std::string{} : line.substr(path);
  }
  return {};
}

std::vector<std::string> command_line() {
  std::vector<std::string> all;
  std::ifstream file{"/proc/self/cmdline"};
  for (std::string each; std::getline(file, each, '\0');) all.push_back(each);
  return all;
}

// The loader keeps its own arguments from the program; the system knows them.
std::vector<std::string> arguments_for_loader(const std::string& program,
                                              const std::vector<std::string>& given) {
  const std::vector<std::string> whole = command_line();
  std::vector<std::string> result;
  if (whole.size() > given.size() && !given.empty()) {
    const auto own = static_cast<std::ptrdiff_t>(whole.size() - given.size());
    result.assign(whole.begin(), whole.begin() + own);
  } else {
    result.emplace_back("ld.so");
  }
  result.push_back(program);
  if (given.size() > 1) result.insert(result.end(), given.begin() + 1, given.end());
  return result;
}

// The program's file if the loader was executed, and loaded it; empty otherwise.
std::string loaded_program() {
  // The kernel had to load an interpreter: what it executed is the program.
  if (::getauxval(AT_BASE) != 0) return {};
  const std::string mapped = mapped_program();
  return mapped == link_text(self) ? std::string{} : mapped;
}

}  // namespace

own_program program_to_start(const std::vector<std::string>& given) {
  own_program own{.path = self, .arguments = given};
  if (own.arguments.empty()) own.arguments.emplace_back("coterie-worker");
  if (under_valgrind()) {
    const std::string named = link_text(self);
    if (!named.empty()) own.path = named;
    return own;
  }
  static const std::string loaded = loaded_program();
  if (!loaded.empty()) own.arguments = arguments_for_loader(loaded, given);
  return own;
}

}  // namespace coterie::detail
