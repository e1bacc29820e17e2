// SPDX-License-Identifier: BSL-1.0
#include <csignal>
#include <exception>
#include <optional>
#include <set>
#include <string>
#include <type_traits>

#include <boost/system/error_code.hpp>
#include <catch2/catch.hpp>

#include <coterie/error.hpp>

namespace {

using coterie::errc;

constexpr int first_code = static_cast<int>(errc::pool_closed);
constexpr int last_code = static_cast<int>(errc::forked);

}  // namespace

TEST_CASE("given an errc, when it is assigned to an error_code, then it keeps value and category") {
  const boost::system::error_code code = errc::pool_closed;
  CHECK(code.value() == 1);
  CHECK(code.category() == coterie::coterie_category());
  CHECK(std::string(code.category().name()) == "coterie");
  CHECK(code == errc::pool_closed);
  CHECK(code != errc::timeout);
  CHECK(code.failed());
}

TEST_CASE("given every errc, when its message is asked for, then each has one of its own") {
  std::set<std::string> messages;
  for (int value = first_code; value <= last_code; ++value) {
    const std::string message = coterie::coterie_category().message(value);
    CHECK(message.find("unknown") == std::string::npos);
    messages.insert(message);
  }
  CHECK(messages.size() == static_cast<std::size_t>(last_code));
}

TEST_CASE("given a value that is no errc, when its message is asked for, then it says so") {
  CHECK(coterie::coterie_category().message(0) == "unknown coterie error 0");
  CHECK(coterie::coterie_category().message(-7) == "unknown coterie error -7");
}

TEST_CASE("given an error with details, when what is called, then it is the details alone") {
  const coterie::error problem(errc::decode_failed, "argument 2 is cut short");
  CHECK(std::string(problem.what()) == "argument 2 is cut short");
  CHECK(problem.code() == errc::decode_failed);
}

TEST_CASE("given an error without details, when what is called, then it is the code's message") {
  const coterie::error problem(errc::not_closed);
  CHECK(problem.what() == coterie::make_error_code(errc::not_closed).message());
}

TEST_CASE("given each derived error, when it is caught as error, then its code tells which it is") {
  const auto code_of = [](const coterie::error& problem) { return problem.code(); };
  CHECK(code_of(coterie::pool_closed()) == errc::pool_closed);
  CHECK(code_of(coterie::pool_terminated()) == errc::pool_terminated);
  CHECK(code_of(coterie::timeout_error()) == errc::timeout);
  CHECK(code_of(coterie::start_failed("no memory")) == errc::start_failed);
  CHECK(code_of(coterie::worker_crashed({}, SIGKILL, std::nullopt)) == errc::worker_crashed);
}

TEST_CASE("given start_failed, when it is read, then the reason stands alone and in what") {
  const coterie::start_failed problem("the initializer threw: no such table");
  CHECK(std::string(problem.reason()) == "the initializer threw: no such table");
  CHECK(std::string(problem.what()) ==
        "no worker could be started: the initializer threw: no such table");
}

TEST_CASE("given a worker killed by a signal, when what is called, then it names the signal") {
  const coterie::worker_crashed crash({3, 1234, 17}, SIGSEGV, std::nullopt);
  CHECK(std::string(crash.what()) ==
        "worker 3 (pid 1234) was killed by SIGSEGV (Segmentation fault) while it held item 17");
  CHECK(crash.rank() == 3);
  CHECK(crash.pid() == 1234);
  CHECK(crash.item() == 17);
  CHECK(crash.signal() == SIGSEGV);
  CHECK_FALSE(crash.exit_code().has_value());
  CHECK(crash.type_name() == "coterie::worker_crashed");
}

TEST_CASE(
    "given a worker killed by a signal without a name, when what is called, then it gives the "
    "number") {
  const coterie::worker_crashed crash({0, 9, 0}, SIGRTMIN + 1, std::nullopt);
  CHECK(std::string(crash.what()) == "worker 0 (pid 9) was killed by signal " +
                                         std::to_string(SIGRTMIN + 1) + " while it held item 0");
}

TEST_CASE("given a worker that exited, when what is called, then it names the code") {
  const coterie::worker_crashed crash({0, 9, 2}, std::nullopt, 3);
  CHECK(std::string(crash.what()) == "worker 0 (pid 9) exited with code 3 while it held item 2");
  CHECK(crash.exit_code() == 3);
}

TEST_CASE("given a worker whose end left no trace, when what is called, then it says so") {
  const coterie::worker_crashed crash({0, 9, 2}, std::nullopt, std::nullopt);
  CHECK(std::string(crash.what()) ==
        "worker 0 (pid 9) ended in an unknown way while it held item 2");
}

TEST_CASE("given a wait status, when worker_crashed is made of it, then it is taken apart") {
  const coterie::remote_place place{1, 2, 3};
  CHECK(coterie::worker_crashed::from_wait_status(place, SIGKILL).signal() == SIGKILL);
  CHECK(coterie::worker_crashed::from_wait_status(place, 7 << 8).exit_code() == 7);
  const auto unknown = coterie::worker_crashed::from_wait_status(place, -1);
  CHECK_FALSE(unknown.signal().has_value());
  CHECK_FALSE(unknown.exit_code().has_value());
}

TEST_CASE("given worker_crashed by pointer, when its remote_info is asked for, then it is found") {
  const auto crash = std::make_exception_ptr(coterie::worker_crashed({4, 5, 6}, 9, std::nullopt));
  const coterie::remote_info* info = coterie::get_remote_info(crash);
  REQUIRE(info != nullptr);
  CHECK(info->rank() == 4);
}

TEST_CASE("given coterie's exceptions, when they are copied, then nothing can throw") {
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<coterie::error>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<coterie::start_failed>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<coterie::worker_crashed>);
}
