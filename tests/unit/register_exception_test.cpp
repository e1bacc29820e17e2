// SPDX-License-Identifier: BSL-1.0
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/throw_exception.hpp>
#include <catch2/catch.hpp>

#include <coterie/register_exception.hpp>
#include <coterie/remote_error.hpp>

#include "exception_round_trip.hpp"

namespace {

using namespace exception_round_trip;

struct registered_by_text : std::runtime_error {
  explicit registered_by_text(const std::string& text) : std::runtime_error("decorated " + text) {}
};

struct registered_by_literal : std::runtime_error {
  explicit registered_by_literal(const char* text) : std::runtime_error(text) {}
};

struct registered_by_fields : std::exception {
  registered_by_fields() = default;
  registered_by_fields(int new_line, std::string new_file)
      : line(new_line), file(std::move(new_file)) {}

  const char* what() const noexcept override { return file.c_str(); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(line, file);
  }

  int line = 0;
  std::string file;
};

struct registered_final final : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct registered_unencodable : std::exception {
  const char* what() const noexcept override { return "wet paint"; }

  template <class Archive>
  void save(Archive&) const {
    throw std::logic_error("the archive is shut");
  }
  template <class Archive>
  void load(Archive&) {}
};

[[maybe_unused]] const bool registered = coterie::register_exception<registered_by_text>() &&
                                         coterie::register_exception<registered_by_literal>() &&
                                         coterie::register_exception<registered_by_fields>() &&
                                         coterie::register_exception<registered_final>() &&
                                         coterie::register_exception<registered_unencodable>();

}  // namespace

TEST_CASE("given registered types made from text, when they arrive, then what is undecorated") {
  arrives_as<registered_by_text>([] { throw registered_by_text("by hand"); },
                                 [](const registered_by_text& arrived) {
                                   CHECK(std::string(arrived.what()) == "decorated by hand");
                                   check_origin(arrived,
                                                "(anonymous namespace)::registered_by_text");
                                 });
  round_trip(registered_by_literal("of glass"), "(anonymous namespace)::registered_by_literal");
}

TEST_CASE("given a registered type with fields, when it arrives, then its fields are kept") {
  arrives_as<registered_by_fields>([] { throw registered_by_fields(42, "a.txt"); },
                                   [](const registered_by_fields& arrived) {
                                     CHECK(arrived.line == 42);
                                     CHECK(arrived.file == "a.txt");
                                     CHECK(std::string(arrived.what()) == "a.txt");
                                     check_origin(arrived,
                                                  "(anonymous namespace)::registered_by_fields");
                                   });
}

TEST_CASE(
    "given a registered type, when boost::throw_exception throws it, then it arrives as itself") {
  arrives_as<registered_by_fields>(
      [] { boost::throw_exception(registered_by_fields(1, "b.txt")); },
      [](const registered_by_fields& arrived) { CHECK(arrived.line == 1); });
}

TEST_CASE("given a registered final type, when it arrives, then it is plain") {
  arrives_as<registered_final>([] { throw registered_final("the end"); },
                               [](const registered_final& arrived) {
                                 CHECK(std::string(arrived.what()) == "the end");
                                 CHECK(coterie::get_remote_info(arrived) == nullptr);
                               });
}

TEST_CASE(
    "given a registered type whose fields cannot be encoded, when it arrives, then it is a "
    "remote_error that says why") {
  arrives_as<coterie::remote_error>([] { throw registered_unencodable(); },
                                    [](const coterie::remote_error& arrived) {
                                      const std::string text = arrived.what();
                                      CHECK(text.starts_with("wet paint"));
                                      CHECK(text.find("the archive is shut") != std::string::npos);
                                      check_origin(arrived,
                                                   "(anonymous namespace)::registered_unencodable");
                                    });
}

TEST_CASE(
    "given a type registered twice from many threads, when it is thrown, then it still works") {
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([] {
      for (int round = 0; round < 100; ++round) {
        coterie::register_exception<registered_by_text>();
        coterie::register_exception<std::runtime_error>();
        arrival_of([] { throw registered_by_text("x"); });
      }
    });
  for (std::thread& thread : threads) thread.join();
  arrives_as<registered_by_text>([] { throw registered_by_text("x"); }, [](const auto&) {});
}
