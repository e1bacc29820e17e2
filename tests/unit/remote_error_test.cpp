// SPDX-License-Identifier: BSL-1.0
#include <any>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <variant>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>
#include <catch2/catch.hpp>

#include <coterie/detail/remote_exception.hpp>
#include <coterie/error.hpp>
#include <coterie/ext/codec.hpp>
#include <coterie/remote_error.hpp>

#include "exception_round_trip.hpp"

namespace {

using namespace exception_round_trip;

struct unregistered : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class odd_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "odd"; }
  std::string message(int) const override { return "oddly"; }
};

}  // namespace

TEST_CASE("given standard exceptions made from text, when thrown, then they arrive as themselves") {
  round_trip(std::logic_error("a"), "std::logic_error");
  round_trip(std::invalid_argument("b"), "std::invalid_argument");
  round_trip(std::domain_error("c"), "std::domain_error");
  round_trip(std::length_error("d"), "std::length_error");
  round_trip(std::out_of_range("e"), "std::out_of_range");
  round_trip(std::runtime_error("f"), "std::runtime_error");
  round_trip(std::range_error("g"), "std::range_error");
  round_trip(std::overflow_error("h"), "std::overflow_error");
  round_trip(std::underflow_error(""), "std::underflow_error");
}

TEST_CASE("given standard exceptions without fields, when thrown, then they arrive as themselves") {
  round_trip(std::exception(), "std::exception");
  round_trip(std::bad_exception(), "std::bad_exception");
  round_trip(std::bad_alloc(), "std::bad_alloc");
  round_trip(std::bad_array_new_length(), "std::bad_array_new_length");
  round_trip(std::bad_cast(), "std::bad_cast");
  round_trip(std::bad_typeid(), "std::bad_typeid");
  round_trip(std::bad_function_call(), "std::bad_function_call");
  round_trip(std::bad_optional_access(), "std::bad_optional_access");
  round_trip(std::bad_variant_access(), "std::bad_variant_access");
  round_trip(std::bad_any_cast(), "std::bad_any_cast");
  round_trip(std::bad_weak_ptr(), "std::bad_weak_ptr");
}

TEST_CASE(
    "given exceptions that the library throws, when they arrive, then they are the standard's") {
  arrives_as<std::out_of_range>(
      [] { return std::vector<int>().at(3); },
      [](const auto& arrived) { check_origin(arrived, "std::out_of_range"); });
  arrives_as<std::bad_variant_access>(
      [] { return std::get<int>(std::variant<char, int>()); },
      [](const auto& arrived) {
        CHECK(std::string(arrived.what()) == "std::get: wrong index for variant");
      });
  arrives_as<std::ios_base::failure>(
      [] {
        std::ifstream file;
        file.exceptions(std::ios_base::failbit);
        file.open("/nonexistent/file");
      },
      [](const std::ios_base::failure& arrived) {
        CHECK(arrived.code() == std::io_errc::stream);
        CHECK(std::string(arrived.what()).find("iostream error") != std::string::npos);
        check_origin(arrived, "std::ios_base::failure");
      });
}

TEST_CASE("given system_error, when it arrives, then code and category are kept") {
  for (const std::error_code code :
       {std::error_code(2, std::generic_category()), std::error_code(13, std::system_category()),
        std::make_error_code(std::io_errc::stream),
        std::make_error_code(std::future_errc::broken_promise),
        static_cast<std::error_code>(coterie::make_error_code(coterie::errc::timeout))}) {
    const std::system_error original(code, "opening");
    arrives_as<std::system_error>([&] { throw std::system_error(original); },
                                  [&](const std::system_error& arrived) {
                                    CHECK(arrived.code() == code);
                                    CHECK(std::string(arrived.what()) == original.what());
                                    check_origin(arrived, "std::system_error");
                                  });
  }
}

TEST_CASE(
    "given a system_error of a category of its own, when it arrives, then value and text stay") {
  static const odd_category odd;
  arrives_as<std::system_error>([] { throw std::system_error(5, odd, "acting"); },
                                [](const std::system_error& arrived) {
                                  CHECK(arrived.code().value() == 5);
                                  CHECK(std::string(arrived.code().category().name()) == "unknown");
                                  CHECK_FALSE(arrived.code().message().empty());
                                  CHECK(std::string(arrived.what()) == "acting: oddly");
                                });
}

TEST_CASE("given Boost's system_error, when it arrives, then code and category are kept") {
  namespace asio_error = boost::asio::error;
  for (const boost::system::error_code code :
       {boost::system::error_code(2, boost::system::generic_category()),
        boost::system::error_code(13, boost::system::system_category()),
        boost::system::error_code(asio_error::eof),
        boost::system::error_code(asio_error::host_not_found),
        boost::system::error_code(asio_error::service_not_found),
        boost::system::error_code(coterie::errc::not_closed)}) {
    const boost::system::system_error original(code, "reading");
    const auto check = [&](const boost::system::system_error& arrived) {
      CHECK(arrived.code() == code);
      CHECK(std::string(arrived.what()) == original.what());
      check_origin(arrived, "boost::system::system_error");
    };
    arrives_as<boost::system::system_error>([&] { throw boost::system::system_error(original); },
                                            check);
    arrives_as<boost::system::system_error>([&] { boost::throw_exception(original); }, check);
  }
}

TEST_CASE("given filesystem_error, when it arrives, then its paths and code are kept") {
  using std::filesystem::filesystem_error;
  const filesystem_error original("cannot move", "/from here", "/to there",
                                  std::make_error_code(std::errc::permission_denied));
  arrives_as<filesystem_error>([&] { throw filesystem_error(original); },
                               [&](const filesystem_error& arrived) {
                                 CHECK(arrived.path1() == "/from here");
                                 CHECK(arrived.path2() == "/to there");
                                 CHECK(arrived.code() == std::errc::permission_denied);
                                 CHECK(std::string(arrived.what()) == original.what());
                                 check_origin(arrived, "std::filesystem::filesystem_error");
                               });
}

TEST_CASE("given future_error and regex_error, when they arrive, then their codes are kept") {
  arrives_as<std::future_error>([] { throw std::future_error(std::future_errc::no_state); },
                                [](const std::future_error& arrived) {
                                  CHECK(arrived.code() == std::future_errc::no_state);
                                  check_origin(arrived, "std::future_error");
                                });
  arrives_as<std::regex_error>([] { throw std::regex_error(std::regex_constants::error_paren); },
                               [](const std::regex_error& arrived) {
                                 CHECK(arrived.code() == std::regex_constants::error_paren);
                                 check_origin(arrived, "std::regex_error");
                               });
}

TEST_CASE("given coterie's own errors in a task, when they arrive, then they are themselves") {
  round_trip(coterie::timeout_error("too slow"), "coterie::timeout_error");
  round_trip(coterie::pool_closed(), "coterie::pool_closed");
  round_trip(coterie::pool_terminated(), "coterie::pool_terminated");
  round_trip(coterie::decode_error("cut short"), "coterie::detail::decode_error");
  round_trip(coterie::start_failed("no memory"), "coterie::start_failed");
  arrives_as<coterie::error>([] { throw coterie::error(coterie::errc::encode_failed, "a pipe"); },
                             [](const coterie::error& arrived) {
                               CHECK(arrived.code() == coterie::errc::encode_failed);
                               CHECK(std::string(arrived.what()) == "a pipe");
                               check_origin(arrived, "coterie::error");
                             });
  const coterie::worker_crashed inner({1, 99, 5}, 11, std::nullopt);
  arrives_as<coterie::worker_crashed>([&] { throw coterie::worker_crashed(inner); },
                                      [&](const coterie::worker_crashed& arrived) {
                                        CHECK(std::string(arrived.what()) == inner.what());
                                        CHECK(arrived.signal() == 11);
                                        CHECK_FALSE(arrived.exit_code().has_value());
                                        CHECK(arrived.pid() == 99);
                                      });
}

TEST_CASE(
    "given an unregistered type derived from a standard one, when it arrives, then it is a "
    "remote_error") {
  arrives_as<coterie::remote_error>([] { throw unregistered("lost"); },
                                    [](const coterie::remote_error& arrived) {
                                      CHECK(std::string(arrived.what()) == "lost");
                                      check_origin(arrived, "(anonymous namespace)::unregistered");
                                    });
}

TEST_CASE("given exceptions from this process, when remote_info is asked for, then there is none") {
  CHECK(coterie::get_remote_info(std::runtime_error("here")) == nullptr);
  CHECK(coterie::get_remote_info(std::make_exception_ptr(5)) == nullptr);
  CHECK(coterie::get_remote_info(std::exception_ptr()) == nullptr);
}

TEST_CASE("given exceptions that arrive, when they are copied, then nothing can throw") {
  using coterie::detail::remote;
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<coterie::remote_error>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<remote<std::invalid_argument>>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<remote<std::system_error>>);
}
