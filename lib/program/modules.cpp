// SPDX-License-Identifier: BSL-1.0
#include "program/modules.hpp"

#include <elf.h>
#include <link.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include <coterie/detail/function_reference.hpp>
#include <coterie/error.hpp>

namespace coterie::detail {

namespace {

struct module {
  std::uint64_t key = 0;
  std::uintptr_t base = 0;
  std::vector<std::byte> build_id;
  struct range {
    std::uintptr_t begin, end;
  };
  std::vector<range> code;

  [[nodiscard]] bool holds(std::uintptr_t address) const {
    return std::ranges::any_of(
        code, [=](const range& each) { return address >= each.begin && address < each.end; });
  }
};

std::uint64_t hash(std::span<const std::byte> bytes) {  // FNV-1a, 64 bits
  std::uint64_t value = 0xcbf29ce484222325;
  for (const std::byte each : bytes) {
    value = (value ^ static_cast<std::uint64_t>(each)) * 0x100000001b3;
  }
  return value;
}

std::vector<std::byte> build_id_of(const dl_phdr_info& info, const ElfW(Phdr) & segment) {
  // A note is a header, its name, then its description, the latter two padded to four bytes.
  const auto* at = reinterpret_cast<const std::byte*>(info.dlpi_addr + segment.p_vaddr);
  std::size_t left = segment.p_memsz;
  const auto padded_to_4 = [](std::size_t size) { return (size + 3) / 4 * 4; };
  while (left >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    const std::size_t name = padded_to_4(note.n_namesz);
    const std::size_t size = sizeof note + name + padded_to_4(note.n_descsz);
    if (size > left) break;
    const std::byte* const text = at + sizeof note;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(text, "GNU", 4) == 0) {
      return {text + name, text + name + note.n_descsz};
    }
    at += size;
    left -= size;
  }
  return {};
}

int add_module(dl_phdr_info* info, std::size_t, void* list) {
  auto& modules = *static_cast<std::vector<module>*>(list);
  module found;
  found.base = info->dlpi_addr;
  for (ElfW(Half) index = 0; index < info->dlpi_phnum; ++index) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[index];
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0) {
      const std::uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
      found.code.push_back({begin, begin + segment.p_memsz});
    } else if (segment.p_type == PT_NOTE && found.build_id.empty()) {
      found.build_id = build_id_of(*info, segment);
    }
  }
  // The executable always comes first. Key 0 is its own.
  if (!modules.empty()) {
    const std::string_view path = info->dlpi_name != nullptr ? info->dlpi_name : "";
    found.key =
        found.build_id.empty() ? hash(std::as_bytes(std::span{path})) : hash(found.build_id);
  }
  modules.push_back(std::move(found));
  return 0;
}

std::vector<module> loaded_modules() {
  std::vector<module> modules;
  ::dl_iterate_phdr(add_module, &modules);
  return modules;
}

// Modules come and go by dlopen and dlclose, so a miss looks again before it is believed.
class module_table {
 public:
  template <class Matches, class Use>
  auto find(Matches matches, Use use) -> std::optional<decltype(use(std::declval<module&>()))> {
    const std::scoped_lock lock{mutex_};
    for (int look = 0; look < 2; ++look) {
      if (look == 1 || modules_.empty()) modules_ = loaded_modules();
      const auto found = std::ranges::find_if(modules_, matches);
      if (found != modules_.end()) return use(*found);
    }
    return std::nullopt;
  }

 private:
  std::mutex mutex_;
  std::vector<module> modules_;
};

module_table& table() {
  static module_table the_table;
  return the_table;
}

}  // namespace

const std::vector<std::byte>& executable_identity() {
  static const std::vector<std::byte> identity = [] {
    std::vector<module> modules = loaded_modules();
    if (!modules.empty() && !modules.front().build_id.empty()) return modules.front().build_id;
    struct stat file{};
    std::vector<std::byte> fallback;
    if (::stat("/proc/self/exe", &file) == 0) {
      const auto add = [&](const auto& value) {
        const auto bytes = std::as_bytes(std::span{&value, 1});
        fallback.insert(fallback.end(), bytes.begin(), bytes.end());
      };
      add(file.st_dev);
      add(file.st_ino);
      add(file.st_size);
      add(file.st_mtim.tv_sec);
      add(file.st_mtim.tv_nsec);
    }
    return fallback;
  }();
  return identity;
}

function_reference locate_function(const void* function) {
  const auto address = reinterpret_cast<std::uintptr_t>(function);
  const auto found = table().find(
      [=](const module& each) { return each.holds(address); },
      [=](const module& holder) { return function_reference{holder.key, address - holder.base}; });
  if (found) return *found;
  throw error{
      errc::unknown_function,
      "no loaded executable or shared library holds this function, so a worker cannot find it: "
      "is it a null pointer, or code made at run time?"};
}

void* find_function(function_reference reference) {
  const auto found =
      table().find([=](const module& each) { return each.key == reference.module; },
                   [=](const module& holder) -> void* {
                     const std::uintptr_t address = holder.base + reference.offset;
                     return holder.holds(address) ? reinterpret_cast<void*>(address) : nullptr;
                   });
  if (found && *found != nullptr) return *found;
  throw error{
      errc::unknown_function,
      "this worker has not loaded the shared library that holds the function: load it in the "
      "pool's initializer, or link the program with it"};
}

}  // namespace coterie::detail
