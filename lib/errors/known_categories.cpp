// SPDX-License-Identifier: BSL-1.0
#include "errors/known_categories.hpp"

#include <array>
#include <future>
#include <ios>
#include <string>

#include <boost/asio/error.hpp>

#include <coterie/error.hpp>

namespace coterie::detail {
namespace {

std::string unknown_message(int value) {
  return "error " + std::to_string(value) + " of a category that only the worker knows";
}

class unknown_standard_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "unknown"; }
  std::string message(int value) const override { return unknown_message(value); }
};

// Boost's base class has no virtual destructor on purpose: a category has no owner.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class unknown_boost_category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "unknown"; }
  std::string message(int value) const override { return unknown_message(value); }
};
#pragma GCC diagnostic pop

}  // namespace

const std::error_category& standard_category(std::string_view name) noexcept {
  static const unknown_standard_category unknown;
  const std::error_category& coteries = coterie_category();
  const std::array<const std::error_category*, 5> known = {
      &std::generic_category(), &std::system_category(), &std::iostream_category(),
      &std::future_category(), &coteries};
  for (const std::error_category* category : known)
    if (name == category->name()) return *category;
  return unknown;
}

const boost::system::error_category& boost_category(std::string_view name) noexcept {
  static const unknown_boost_category unknown;
  namespace asio_error = boost::asio::error;
  const std::array<const boost::system::error_category*, 6> known = {
      &boost::system::generic_category(), &boost::system::system_category(),
      &asio_error::get_netdb_category(),  &asio_error::get_addrinfo_category(),
      &asio_error::get_misc_category(),   &coterie_category()};
  for (const boost::system::error_category* category : known)
    if (name == category->name()) return *category;
  return unknown;
}

}  // namespace coterie::detail
