// SPDX-License-Identifier: BSL-1.0
#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <future>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/exception_wire.hpp>
#include <coterie/error.hpp>
#include <coterie/remote_error.hpp>

#include "exception_round_trip.hpp"

namespace {

using namespace exception_round_trip;

struct unregistered : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct no_exception {
  int value = 0;
};

struct textless : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

}  // namespace

TEST_CASE(
    "given no std::exception, when it arrives, then it is a remote_error that names its type") {
  arrives_as<coterie::remote_error>(
      [] { throw 5; },
      [](const coterie::remote_error& arrived) {
        CHECK(std::string(arrived.what()) == "exception of type int, which is no std::exception");
        check_origin(arrived, "int");
      });
  arrives_as<coterie::remote_error>([] { throw no_exception{1}; },
                                    [](const coterie::remote_error& arrived) {
                                      check_origin(arrived, "(anonymous namespace)::no_exception");
                                    });
}

TEST_CASE("given an exception whose what is null, when it arrives, then its text is empty") {
  arrives_as<coterie::remote_error>(
      [] { throw textless(); },
      [](const coterie::remote_error& arrived) { CHECK(std::string(arrived.what()).empty()); });
}

TEST_CASE("given nested exceptions, when they arrive, then the text tells the whole chain") {
  const auto thrower = [] {
    try {
      try {
        try {
          throw 7;
        } catch (...) {
          std::throw_with_nested(std::invalid_argument("no number"));
        }
      } catch (...) {
        std::throw_with_nested(unregistered("no record"));
      }
    } catch (...) {
      std::throw_with_nested(std::runtime_error("no file"));
    }
  };
  arrives_as<std::runtime_error>(thrower, [](const std::runtime_error& arrived) {
    CHECK(std::string(arrived.what()) ==
          "no file: caused by no record: caused by no number: caused by exception of type int, "
          "which is no std::exception");
    check_origin(arrived, "std::runtime_error");
  });
}

TEST_CASE("given an exception nested in no std::exception, when it arrives, then both are told") {
  const auto thrower = [] {
    try {
      throw std::runtime_error("inside");
    } catch (...) {
      std::throw_with_nested(no_exception{});
    }
  };
  arrives_as<coterie::remote_error>(thrower, [](const coterie::remote_error& arrived) {
    CHECK(std::string(arrived.what()) ==
          "exception of type (anonymous namespace)::no_exception, which is no std::exception: "
          "caused by inside");
    CHECK(arrived.type_name() == "(anonymous namespace)::no_exception");
  });
}

TEST_CASE(
    "given an exception that arrived from a worker, when it is thrown on, then it stays the same") {
  arrives_as<std::invalid_argument>(
      [] { std::rethrow_exception(arrival_of([] { throw std::invalid_argument("deep"); })); },
      [](const std::invalid_argument& arrived) {
        CHECK(std::string(arrived.what()) == "deep");
        check_origin(arrived, "std::invalid_argument");
      });
  arrives_as<coterie::remote_error>(
      [] { std::rethrow_exception(arrival_of([] { throw 1; })); },
      [](const coterie::remote_error& arrived) { CHECK(arrived.type_name() == "int"); });
}

TEST_CASE("given a text of 1 MB, when it arrives, then it is whole") {
  const std::string text(1 << 20, 'x');
  round_trip(std::runtime_error(text), "std::runtime_error");
  arrives_as<coterie::remote_error>(
      [&] { throw unregistered(text); },
      [&](const coterie::remote_error& arrived) { CHECK(arrived.what() == text); });
}

TEST_CASE("given bytes already in the buffer, when an exception is encoded, then it is appended") {
  coterie::detail::byte_buffer out;
  out.append("abc", 3);
  try {
    throw std::runtime_error("d");
  } catch (...) {
    coterie::detail::encode_current_exception(out);
  }
  REQUIRE(out.size() > 3);
  const auto arrived = coterie::detail::decode_exception(out.view().subspan(3), place);
  CHECK_THROWS_AS(std::rethrow_exception(arrived), std::runtime_error);
}

namespace {

std::vector<bytes> samples() {
  return {
      sent_for([] { throw std::runtime_error("text"); }),
      sent_for([] { throw std::bad_alloc(); }),
      sent_for([] { throw std::system_error(1, std::generic_category()); }),
      sent_for([] { throw std::filesystem::filesystem_error("a", "b", "c", {}); }),
      sent_for([] { throw std::regex_error(std::regex_constants::error_brack); }),
      sent_for([] { throw coterie::worker_crashed({1, 2, 3}, 9, std::nullopt); }),
      sent_for([] { throw coterie::error(coterie::errc::timeout); }),
      sent_for([] { throw coterie::start_failed("why"); }),
      sent_for([] { throw std::future_error(std::future_errc::no_state); }),
      sent_for([] { throw unregistered("u"); }),
      sent_for([] { throw 1; }),
  };
}

bool is_refused(const bytes& sent) {
  try {
    std::rethrow_exception(coterie::detail::decode_exception(sent, place));
  } catch (const coterie::error& problem) {
    const coterie::remote_info* info = coterie::get_remote_info(problem);
    return problem.code() == coterie::errc::decode_failed && info != nullptr && info->rank() == 3;
  } catch (...) {
    return false;
  }
}

}  // namespace

TEST_CASE(
    "given every truncation of an encoded exception, when it is decoded, then it is refused") {
  for (const bytes& whole : samples()) {
    CHECK_FALSE(is_refused(whole));
    for (std::size_t size = 0; size < whole.size(); ++size)
      CHECK(is_refused(bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

TEST_CASE("given bytes left over, when an exception is decoded, then it is refused") {
  for (bytes sent : samples()) {
    sent.push_back(std::byte{0});
    CHECK(is_refused(sent));
  }
}

TEST_CASE("given single bytes changed, when an exception is decoded, then some exception results") {
  for (const bytes& whole : samples()) {
    for (std::size_t position = 0; position < whole.size(); ++position) {
      for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
        bytes changed = whole;
        changed[position] ^= static_cast<std::byte>(flip);
        CHECK(coterie::detail::decode_exception(changed, place) != nullptr);
      }
    }
  }
}

TEST_CASE(
    "given a type name that is not registered, when it is decoded, then the refusal names it") {
  bytes sent = sent_for([] { throw std::range_error("r"); });
  const std::string name = "std::range_error";
  const auto found = std::search(
      sent.begin(), sent.end(), name.begin(), name.end(),
      [](std::byte byte, char letter) { return byte == static_cast<std::byte>(letter); });
  REQUIRE(found != sent.end());
  *found = static_cast<std::byte>('z');
  try {
    std::rethrow_exception(coterie::detail::decode_exception(sent, place));
  } catch (const coterie::error& problem) {
    CHECK(std::string(problem.what()).find("ztd::range_error") != std::string::npos);
  }
}

TEST_CASE(
    "given a thread that ends by pthread_exit, when encoding meets it, then it passes through") {
  bool stopped = false;
  std::size_t appended = 0;
  std::thread thread([&] {
    coterie::detail::byte_buffer out;
    try {
      struct last_look {
        coterie::detail::byte_buffer& out;
        std::size_t& appended;
        ~last_look() { appended = out.size(); }
      } const look{out, appended};
      ::pthread_exit(nullptr);
    } catch (...) {
      coterie::detail::encode_current_exception(out);
      stopped = true;
    }
  });
  thread.join();
  CHECK_FALSE(stopped);
  CHECK(appended == 0);
}
