// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/exception_registry.hpp>

#include <cxxabi.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <typeindex>
#include <unordered_map>

namespace coterie::detail {
namespace {

class registry {
 public:
  registry() {
    for (const exception_carrier& carrier : standard_exceptions()) add(carrier);
  }

  void add(const exception_carrier& carrier) {
    const std::lock_guard guard(mutex_);
    const std::type_index type(*carrier.type);
    if (by_type_.contains(type)) return;
    std::string name = readable_name(*carrier.type);
    // Two source files may each have a type of this name in an unnamed namespace. Initialisation
    // has the same order in every process of a program, so the number tells them apart.
    for (int number = 2; by_name_.contains(name); ++number)
      name = readable_name(*carrier.type) + " #" + std::to_string(number);
    const auto [position, added] = by_name_.emplace(std::move(name), carrier);
    by_type_.emplace(type, position);
  }

  std::optional<named_carrier> find(const std::type_info& type) {
    const std::lock_guard guard(mutex_);
    const auto found = by_type_.find(std::type_index(type));
    if (found == by_type_.end()) return std::nullopt;
    return named_carrier{found->second->first, found->second->second};
  }

  std::optional<named_carrier> find(std::string_view name) {
    const std::lock_guard guard(mutex_);
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return std::nullopt;
    return named_carrier{found->first, found->second};
  }

 private:
  using carriers = std::map<std::string, exception_carrier, std::less<>>;

  std::mutex mutex_;
  carriers by_name_;
  std::unordered_map<std::type_index, carriers::const_iterator> by_type_;
};

registry& the_registry() {
  // Never destroyed: tasks may still throw while static objects are being destroyed.
  static registry& instance = *new registry;
  return instance;
}

void erase_all(std::string& text, std::string_view part) {
  for (std::size_t found = text.find(part); found != std::string::npos;
       found = text.find(part, found))
    text.erase(found, part.size());
}

/// What `name` wraps if it is `wrapper<...>`, otherwise nothing.
std::string_view unwrap(std::string_view name, std::string_view wrapper) {
  if (!name.starts_with(wrapper) || !name.ends_with('>')) return {};
  name.remove_prefix(wrapper.size());
  name.remove_suffix(1);
  while (name.ends_with(' ')) name.remove_suffix(1);
  return name;
}

}  // namespace

std::string readable_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  std::string readable = name ? name.get() : type.name();
  // libstdc++'s marks of its second string type, which programs do not write.
  erase_all(readable, "__cxx11::");
  erase_all(readable, "[abi:cxx11]");
  return readable;
}

std::string thrown_name(const std::type_info& type) {
  const std::string whole = readable_name(type);
  std::string_view name = whole;
  while (true) {
    std::string_view inner = unwrap(name, "boost::wrapexcept<");
    if (inner.empty()) inner = unwrap(name, "std::_Nested_exception<");
    if (inner.empty()) inner = unwrap(name, "coterie::detail::remote<");
    if (inner.empty()) break;
    name = inner;
  }
  // What libstdc++ itself throws where the standard says ios_base::failure.
  if (name == "std::__ios_failure") name = "std::ios_base::failure";
  return std::string(name);
}

bool add_exception(const exception_carrier& carrier) {
  the_registry().add(carrier);
  return true;
}

std::optional<named_carrier> find_exception(const std::type_info& type) {
  if (auto found = the_registry().find(type)) return found;
  return the_registry().find(thrown_name(type));
}

std::optional<exception_carrier> find_exception(std::string_view name) {
  if (const auto found = the_registry().find(name)) return found->carrier;
  return std::nullopt;
}

}  // namespace coterie::detail
