// SPDX-License-Identifier: BSL-1.0
#include <coterie/remote_error.hpp>

#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace coterie {

remote_info::remote_info(const remote_place& place, std::string type_name)
    : place_(place), type_name_(std::make_shared<const std::string>(std::move(type_name))) {}

remote_info::~remote_info() = default;

const remote_info* get_remote_info(const std::exception& problem) noexcept {
  return dynamic_cast<const remote_info*>(&problem);
}

const remote_info* get_remote_info(const std::exception_ptr& problem) noexcept {
  if (!problem) return nullptr;
  try {
    std::rethrow_exception(problem);
  } catch (const remote_info& info) {
    return &info;
  } catch (...) {
    return nullptr;
  }
}

remote_error::remote_error(const std::string& text, const remote_place& place,
                           std::string type_name)
    : std::runtime_error(text), remote_info(place, std::move(type_name)) {}

}  // namespace coterie
