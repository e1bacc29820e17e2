// SPDX-License-Identifier: BSL-1.0
#include <unistd.h>

#include <any>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <ranges>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"

namespace asio = boost::asio;

namespace {

int add_one(int number) { return number + 1; }

// Throws an `E` of the kind that the standard library would.
template <class E>
void throw_one() {
  if constexpr (std::is_constructible_v<E, const std::string&>) {
    throw E{"the text"};
  } else if constexpr (std::is_same_v<E, std::future_error>) {
    throw E{std::future_errc::broken_promise};
  } else if constexpr (std::is_same_v<E, std::system_error>) {
    throw E{std::make_error_code(std::errc::timed_out), "the text"};
  } else {
    throw E{};
  }
}

template <class E>
asio::awaitable<void> arrives_as_itself(coterie::pool& pool, const std::string& name) {
  const auto problem = co_await test::failure_of(pool.apply(throw_one<E>));
  INFO(name);
  const E arrived = test::as<E>(problem);
  const auto* const origin = coterie::get_remote_info(problem);
  REQUIRE(origin != nullptr);
  CHECK(origin->type_name() == name);
  CHECK(origin->rank() == 0);
  CHECK(origin->pid() > 0);
  CHECK(origin->item() == 0);
  if constexpr (std::is_constructible_v<E, const std::string&>) {
    CHECK(std::string{arrived.what()} == "the text");
  }
}

struct unknown_problem : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct known_problem : std::runtime_error {
  using std::runtime_error::runtime_error;
};
[[maybe_unused]] const bool known = coterie::register_exception<known_problem>();

struct detailed_problem : std::exception {
  int line = 0;
  std::string file;

  [[nodiscard]] const char* what() const noexcept override { return "detailed"; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(line, file);
  }
};
[[maybe_unused]] const bool detailed = coterie::register_exception<detailed_problem>();

// Not a std::exception, and thrown all the same.
struct stranger {
  int number;
};

enum class fault : std::uint8_t { none, save, load, load_strangely, shorter, longer };

// Does what its fault says when it travels.
class delicate {
 public:
  delicate() = default;
  explicit delicate(fault which, int number = 0) : which_{which}, number_{number} {}

  [[nodiscard]] int number() const { return number_; }

  template <class Archive>
  void save(Archive& archive) const {
    if (which_ == fault::save) throw std::domain_error{"it will not be saved"};
    archive(which_, number_);
    if (which_ == fault::longer) archive(number_);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(which_, number_);
    if (which_ == fault::load) throw std::domain_error{"it will not be loaded"};
    if (which_ == fault::load_strangely) throw stranger{1};
    if (which_ == fault::shorter) archive(number_);
  }

 private:
  fault which_ = fault::none;
  int number_ = 0;
};

int number_of(const delicate& given) { return given.number(); }

delicate make_delicate(int number) {
  switch (number) {
    case 3:
      return delicate{fault::save};
    case 4:
      return delicate{fault::load};
    case 5:
      return delicate{fault::load_strangely};
    case 6:
      return delicate{fault::shorter};
    case 7:
      return delicate{fault::longer};
    default:
      return delicate{fault::none, number};
  }
}

}  // namespace

TEST_CASE("given a standard exception, when a task throws it, then it arrives as itself") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    co_await arrives_as_itself<std::logic_error>(pool, "std::logic_error");
    co_await arrives_as_itself<std::invalid_argument>(pool, "std::invalid_argument");
    co_await arrives_as_itself<std::domain_error>(pool, "std::domain_error");
    co_await arrives_as_itself<std::length_error>(pool, "std::length_error");
    co_await arrives_as_itself<std::out_of_range>(pool, "std::out_of_range");
    co_await arrives_as_itself<std::runtime_error>(pool, "std::runtime_error");
    co_await arrives_as_itself<std::range_error>(pool, "std::range_error");
    co_await arrives_as_itself<std::overflow_error>(pool, "std::overflow_error");
    co_await arrives_as_itself<std::underflow_error>(pool, "std::underflow_error");
    co_await arrives_as_itself<std::bad_alloc>(pool, "std::bad_alloc");
    co_await arrives_as_itself<std::bad_array_new_length>(pool, "std::bad_array_new_length");
    co_await arrives_as_itself<std::bad_cast>(pool, "std::bad_cast");
    co_await arrives_as_itself<std::bad_typeid>(pool, "std::bad_typeid");
    co_await arrives_as_itself<std::bad_any_cast>(pool, "std::bad_any_cast");
    co_await arrives_as_itself<std::bad_optional_access>(pool, "std::bad_optional_access");
    co_await arrives_as_itself<std::bad_variant_access>(pool, "std::bad_variant_access");
    co_await arrives_as_itself<std::bad_function_call>(pool, "std::bad_function_call");
    co_await arrives_as_itself<std::bad_weak_ptr>(pool, "std::bad_weak_ptr");
    co_await arrives_as_itself<std::bad_exception>(pool, "std::bad_exception");
    co_await arrives_as_itself<std::exception>(pool, "std::exception");
    co_await arrives_as_itself<std::system_error>(pool, "std::system_error");
    co_await arrives_as_itself<std::future_error>(pool, "std::future_error");
  });
}

TEST_CASE("given exceptions with codes, when tasks throw them, then the codes arrive") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto problem = co_await test::failure_of(pool.apply(throw_one<std::system_error>));
    CHECK(test::as<std::system_error>(problem).code() == std::errc::timed_out);

    problem = co_await test::failure_of(pool.apply([] {
      throw boost::system::system_error{asio::error::connection_refused, "while connecting"};
    }));
    CHECK(test::as<boost::system::system_error>(problem).code() == asio::error::connection_refused);
    CHECK(coterie::get_remote_info(problem) != nullptr);

    problem = co_await test::failure_of(
        pool.apply([] { std::filesystem::directory_iterator{"/no/such/place"}; }));
    const auto missing = test::as<std::filesystem::filesystem_error>(problem);
    CHECK(missing.code() == std::errc::no_such_file_or_directory);
    CHECK(missing.path1() == "/no/such/place");

    problem = co_await test::failure_of(pool.apply([] { std::regex{"("}; }));
    CHECK(test::as<std::regex_error>(problem).code() == std::regex_constants::error_paren);
  });
}

TEST_CASE("given what the library throws, when a task runs into it, then it arrives as that") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto problem = co_await test::failure_of(pool.apply(
        [](int place) { return std::vector<int>{1, 2}.at(static_cast<std::size_t>(place)); }, 5));
    CHECK(coterie::get_remote_info(problem) != nullptr);
    CHECK_THROWS_AS(std::rethrow_exception(problem), std::out_of_range);

    problem = co_await test::failure_of(
        pool.apply([](const std::string& text) { return std::stoi(text); }, "no number"));
    CHECK(std::string{test::as<std::invalid_argument>(problem).what()} == "stoi");
  });
}

TEST_CASE("given an unregistered exception, when thrown, then it arrives as remote_error") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto problem =
        co_await test::failure_of(pool.apply([] { throw unknown_problem{"what it says"}; }));
    const auto arrived = test::as<coterie::remote_error>(problem);
    CHECK(std::string{arrived.what()} == "what it says");
    CHECK(arrived.type_name().find("unknown_problem") != std::string::npos);
    CHECK(arrived.rank() == 0);
  });
}

TEST_CASE("given a registered exception, when thrown, then it arrives as itself") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto problem =
        co_await test::failure_of(pool.apply([] { throw known_problem{"what it says"}; }));
    CHECK(std::string{test::as<known_problem>(problem).what()} == "what it says");
    REQUIRE(coterie::get_remote_info(problem) != nullptr);
    CHECK(coterie::get_remote_info(problem)->type_name().find("known_problem") !=
          std::string::npos);

    problem = co_await test::failure_of(pool.apply(
        [](int line) {
          detailed_problem thrown;
          thrown.line = line;
          thrown.file = "main.cpp";
          throw thrown;
        },
        17));
    const auto arrived = test::as<detailed_problem>(problem);
    CHECK(arrived.line == 17);
    CHECK(arrived.file == "main.cpp");
  });
}

TEST_CASE("given something that is no std::exception, when thrown, then it fails its own task") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto problem = co_await test::failure_of(pool.apply([] { throw 42; }));
    CHECK(test::as<coterie::remote_error>(problem).type_name() == "int");
    CHECK(std::string{test::as<coterie::remote_error>(problem).what()}.find("int") !=
          std::string::npos);
    problem = co_await test::failure_of(pool.apply([] { throw stranger{1}; }));
    CHECK(test::as<coterie::remote_error>(problem).type_name().find("stranger") !=
          std::string::npos);
    problem = co_await test::failure_of(pool.apply([] { throw "text"; }));
    CHECK(test::as<coterie::remote_error>(problem).type_name() == "char const*");
    const int two = co_await pool.apply(add_one, 1);
    CHECK(two == 2);
    CHECK(pool.stats().workers_crashed == 0);
  });
}

TEST_CASE("given a nested exception, when thrown, then its text tells of the cause") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto problem = co_await test::failure_of(pool.apply([] {
      try {
        throw std::out_of_range{"inner"};
      } catch (...) {
        std::throw_with_nested(std::runtime_error{"outer"});
      }
    }));
    CHECK_THROWS_WITH(std::rethrow_exception(problem), "outer: caused by inner");
  });
}

TEST_CASE("given a failure in each place of a map, when it fails, then rank and item are told") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (const int place : {0, 1, 50, 99}) {
      const auto task = coterie::bind(
          [](int where, int number) {
            if (number == where) throw std::out_of_range{std::to_string(::getpid())};
            return number;
          },
          place);
      const auto problem = co_await test::failure_of(pool.map(task, std::views::iota(0, 100)));
      const auto text = std::string{test::as<std::out_of_range>(problem).what()};
      const auto* const origin = coterie::get_remote_info(problem);
      REQUIRE(origin != nullptr);
      CHECK(origin->item() == static_cast<std::size_t>(place));
      CHECK(std::to_string(origin->pid()) == text);
      CHECK(origin->rank() >= 0);
      CHECK(origin->rank() < 2);
    }
  });
}

TEST_CASE("given a result that cannot be encoded, when returned, then its own task fails") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto outcomes = co_await pool.map_settled(make_delicate, std::views::iota(0, 10));
    REQUIRE(outcomes.size() == 10);
    for (const std::size_t place : {0, 1, 2, 8, 9}) {
      REQUIRE(outcomes[place].has_value());
      CHECK(outcomes[place]->number() == static_cast<int>(place));
    }
    REQUIRE(outcomes[3].has_error());
    const auto problem = test::as<coterie::error>(outcomes[3].error());
    CHECK(problem.code() == coterie::errc::encode_failed);
    CHECK_THAT(problem.what(), Catch::Contains("it will not be saved"));
    CHECK(coterie::get_remote_info(outcomes[3].error()) != nullptr);
  });
}

TEST_CASE("given a result that cannot be decoded, when it arrives, then its own task fails") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto outcomes = co_await pool.map_settled(make_delicate, std::views::iota(0, 10));
    REQUIRE(outcomes.size() == 10);
    for (const std::size_t place : {4, 5, 6, 7}) {
      INFO(place);
      REQUIRE(outcomes[place].has_error());
      CHECK(test::as<coterie::error>(outcomes[place].error()).code() ==
            coterie::errc::decode_failed);
    }
    CHECK_THAT(test::as<coterie::error>(outcomes[4].error()).what(),
               Catch::Contains("it will not be loaded"));
    CHECK(pool.stats().workers_started == 1);
    const int two = co_await pool.apply(add_one, 1);
    CHECK(two == 2);
  });
}

TEST_CASE("given a result of apply that cannot travel, when returned, then the call fails") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto problem = co_await test::failure_of(pool.apply(make_delicate, 3));
    CHECK(test::as<coterie::error>(problem).code() == coterie::errc::encode_failed);
    for (const int which : {4, 5, 6, 7}) {
      INFO(which);
      problem = co_await test::failure_of(pool.apply(make_delicate, which));
      CHECK(test::as<coterie::error>(problem).code() == coterie::errc::decode_failed);
    }
    const int two = co_await pool.apply(add_one, 1);
    CHECK(two == 2);
  });
}

TEST_CASE("given an argument that cannot be encoded, when mapped, then its own item fails") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::vector<delicate> items;
    for (int number = 0; number < 10; ++number) {
      items.emplace_back(number == 6 ? fault::save : fault::none, number);
    }
    for (const std::size_t chunksize : {0, 1, 10}) {
      const auto outcomes = co_await pool.map_settled(number_of, items, {.chunksize = chunksize});
      REQUIRE(outcomes.size() == 10);
      for (std::size_t place = 0; place < 10; ++place) {
        if (place == 6) {
          REQUIRE(outcomes[place].has_error());
          CHECK(test::as<std::domain_error>(outcomes[place].error()).what() ==
                std::string{"it will not be saved"});
        } else {
          REQUIRE(outcomes[place].has_value());
          CHECK(*outcomes[place] == static_cast<int>(place));
        }
      }
    }
    const auto problem = co_await test::failure_of(pool.apply(number_of, delicate{fault::save}));
    CHECK(test::as<std::domain_error>(problem).what() == std::string{"it will not be saved"});
  });
}

TEST_CASE("given an argument that cannot be decoded, when it arrives, then its own item fails") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<fault> faults{
        fault::none,    fault::load,   fault::none, fault::load_strangely,
        fault::shorter, fault::longer, fault::none};
    std::vector<delicate> items;
    for (const fault each : faults) items.emplace_back(each, 5);
    const auto outcomes = co_await pool.map_settled(number_of, items, {.chunksize = items.size()});
    REQUIRE(outcomes.size() == items.size());
    for (std::size_t place = 0; place < items.size(); ++place) {
      INFO(place);
      CHECK(outcomes[place].has_value() == (faults[place] == fault::none));
      if (faults[place] == fault::none) continue;
      const auto* const origin = coterie::get_remote_info(outcomes[place].error());
      REQUIRE(origin != nullptr);
      CHECK(origin->item() == place);
      if (faults[place] == fault::load_strangely) continue;
      CHECK(test::as<coterie::error>(outcomes[place].error()).code() ==
            coterie::errc::decode_failed);
    }
    CHECK(pool.stats().workers_crashed == 0);
  });
}

TEST_CASE("given bound arguments that cannot travel, when called, then the call fails") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto task = [](const delicate& given, int number) { return given.number() + number; };
    for (const fault each : {fault::save, fault::load, fault::load_strangely, fault::shorter}) {
      const auto problem = co_await test::failure_of(
          pool.map(coterie::bind(task, delicate{each}), std::views::iota(0, 5)));
      CHECK(problem != nullptr);
      const int two = co_await pool.apply(add_one, 1);
      CHECK(two == 2);
    }
    CHECK(pool.stats().workers_crashed == 0);
  });
}

TEST_CASE("given messages of 1 MB, when they travel, then they arrive whole") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::string text(std::size_t{1} << 20U, 'm');
    const auto echo = [](std::string given) { return given; };
    const std::string same = co_await pool.apply(echo, text);
    CHECK(same == text);
    const std::vector<std::string> texts(10, text);
    const auto all = co_await pool.map(echo, texts);
    CHECK(all == texts);
  });
}

TEST_CASE("given an exception with a text of 1 MB, when thrown, then the text arrives whole") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::size_t size = std::size_t{1} << 20U;
    const auto fail = [](std::size_t length) -> int {
      throw std::runtime_error{std::string(length, 'e')};
    };
    const auto problem = co_await test::failure_of(pool.apply(fail, size));
    CHECK(test::as<std::runtime_error>(problem).what() == std::string(size, 'e'));
    const auto outcomes = co_await pool.map_settled(fail, std::vector<std::size_t>(5, size));
    for (const auto& outcome : outcomes) {
      REQUIRE(outcome.has_error());
      CHECK(test::as<std::runtime_error>(outcome.error()).what() == std::string(size, 'e'));
    }
  });
}

TEST_CASE("given input that throws, when mapped, then its own exception comes out") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (const int place : {0, 1, 30}) {
      auto items = std::views::iota(0, 60) | std::views::transform([place](int number) {
                     if (number == place) throw unknown_problem{"here"};
                     return number;
                   });
      // It is thrown in this process, so nothing need be registered.
      const auto problem = co_await test::failure_of(pool.map(add_one, items));
      CHECK(test::as<unknown_problem>(problem).what() == std::string{"here"});
      const int two = co_await pool.apply(add_one, 1);
      CHECK(two == 2);
    }
  });
}

TEST_CASE("given a failing task, when its worker goes on, then it is the same process") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const int before = co_await pool.apply(::getpid);
    for (int times = 0; times < 20; ++times) {
      const auto problem = co_await test::failure_of(pool.apply([] { throw 1; }));
      CHECK(problem != nullptr);
    }
    const int after = co_await pool.apply(::getpid);
    CHECK(before == after);
  });
}
