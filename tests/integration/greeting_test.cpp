// SPDX-License-Identifier: BSL-1.0

// Processes that hold a worker's end of the link, and do not greet as the worker does that was
// started: they are refused with the reason, and cost nothing else.

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "messages/frame.hpp"
#include "processes/worker_environment.hpp"
#include "program/modules.hpp"
#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/run.hpp"
#include "worker/process_runtime.hpp"
#include "worker/worker_link.hpp"
#include "worker/worker_transport.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace coterie::detail;

namespace {

constexpr const char* variable = "COTERIE_TEST_GREETING";

int twice(int value) { return 2 * value; }

using bytes = std::vector<std::byte>;

void greet(worker_link& link, const bytes& payload, std::uint64_t version = protocol_version) {
  link.send(message::hello{.version = version}, payload);
}

void act(worker_link& link, link_secret secret, std::string_view how) {
  const auto& build = executable_identity();
  const auto with_build = [&](bytes begin) {
    begin.insert(begin.end(), build.begin(), build.end());
    return begin;
  };
  const bytes right = with_build({secret.begin(), secret.end()});
  if (how == "nothing in it") greet(link, {});
  if (how == "no secret") greet(link, with_build({}));
  if (how == "half a secret") greet(link, {right.begin(), right.begin() + secret.size() / 2});
  if (how == "a secret that was guessed") {
    secret.back() ^= std::byte{1};
    greet(link, with_build({secret.begin(), secret.end()}));
  }
  if (how == "the secret of zeros") greet(link, with_build(bytes(secret.size())));
  if (how == "too short") greet(link, {right.begin(), right.end() - 1});
  if (how == "the secret alone") greet(link, {right.begin(), right.begin() + secret.size()});
  if (how == "too long") {
    bytes longer = right;
    longer.push_back({});
    greet(link, longer);
  }
  if (how == "another version") greet(link, right, protocol_version + 1);
  if (how == "twice") {
    greet(link, right);
    greet(link, right);
  }
  if (how == "no greeting") link.send(message::ready{});
  if (how == "results at once") {
    greet(link, right);
    link.send(message::values{});
  }
  if (how == "what the parent says") {
    greet(link, right);
    link.send(message::ready{});
    link.send(message::setup{});
  }
}

/// Takes the place of `init` in workers of pools that ask for it, before `main`.
struct impostor {
  impostor() {
    const char* const how = std::getenv(variable);
    const auto worker = worker_environment::find();
    if (how == nullptr || !worker) return;
    process_runtime runtime;
    auto accepted = worker_transport::accept(worker_environment::link_descriptor, runtime);
    worker_link link{std::move(accepted.transport), runtime};
    act(link, accepted.secret, how);
    link.flush();
    for (;;) ::pause();
  }
};
const impostor in_place_of_the_worker;

coterie::pool_options options_for(const std::string& how, bool shared_memory) {
  coterie::pool_options options;
  options.processes = 1;
  options.environment = coterie::environment{}.set(variable, how);
  options.shared_memory = shared_memory;
  return options;
}

/// Why a pool has no workers that behave so.
std::string refusal_of(const std::string& how, bool shared_memory) {
  std::string reason;
  test::run([&]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const auto options = options_for(how, shared_memory);
    coterie::pool other{executor, {.processes = 1}};
    coterie::pool pool{executor, options};
    const auto problem = co_await test::failure_of(pool.apply(twice, 21));
    reason = test::as<coterie::start_failed>(problem).reason();
    CHECK(pool.stats().workers_ready == 0);
    co_await test::gives(other.apply(twice, 21), 42);
  });
  return reason;
}

}  // namespace

TEST_CASE("given a process without the secret, when it greets, then it is not the one started") {
  const std::string how = GENERATE(as<std::string>{}, "nothing in it", "no secret", "half a secret",
                                   "a secret that was guessed", "the secret of zeros");
  const bool shared_memory = GENERATE(true, false);
  INFO(how << ", over " << (shared_memory ? "memory" : "sockets"));
  const auto before = test::held_at_rest();
  CHECK_THAT(
      refusal_of(how, shared_memory),
      Catch::StartsWith("it is not the process that was started here, which no worker does"));
  CHECK(test::held_now() == before);
}

TEST_CASE("given a process of another build, when it greets, then that is said") {
  const std::string how =
      GENERATE(as<std::string>{}, "too short", "the secret alone", "too long", "another version");
  const bool shared_memory = GENERATE(true, false);
  INFO(how << ", over " << (shared_memory ? "memory" : "sockets"));
  CHECK(refusal_of(how, shared_memory) ==
        "the worker runs another build of the program: was the executable replaced?");
}

TEST_CASE("given a process that has greeted, when it breaks the order, then it says which") {
  const auto [how, reason] = GENERATE(table<std::string, std::string>({
      {"twice", "it sent its greeting twice"},
      {"no greeting", "it did not begin with its greeting"},
      {"results at once", "it sent results before it was ready"},
  }));
  const bool shared_memory = GENERATE(true, false);
  INFO(how << ", over " << (shared_memory ? "memory" : "sockets"));
  CHECK_THAT(refusal_of(how, shared_memory), Catch::StartsWith(reason));
}

TEST_CASE("given a process that does not greet, when its time is over, then it is ended") {
  const bool shared_memory = GENERATE(true, false);
  test::run([&]() -> asio::awaitable<void> {
    auto options = options_for("silent", shared_memory);
    options.start_timeout = 10ms;
    coterie::pool pool{co_await asio::this_coro::executor, options};
    const auto problem = co_await test::failure_of(pool.apply(twice, 21));
    CHECK_THAT(std::string{test::as<coterie::start_failed>(problem).reason()},
               Catch::Contains("start_timeout"));
  });
}

TEST_CASE("given processes that break the rules as soon as they are ready, then calls end") {
  const bool shared_memory = GENERATE(true, false);
  test::run([&]() -> asio::awaitable<void> {
    const auto options = options_for("what the parent says", shared_memory);
    coterie::pool pool{co_await asio::this_coro::executor, options};
    const auto problem = co_await test::failure_of(pool.apply(twice, 21));
    // It is lost with the worker, if that seemed to be ready for a moment.
    CHECK_THAT(test::as<coterie::error>(problem).what(),
               Catch::Contains("it sent a frame that only the parent sends"));
  });
}
