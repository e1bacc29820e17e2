// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <cstddef>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "pool/sequencer.hpp"

namespace {

using coterie::detail::sequencer;

constexpr auto nothing = [] {};

}  // namespace

TEST_CASE("given no thread at work, when something is asked for, then it is done at once") {
  sequencer one;
  std::string log;
  CHECK(one.run([&] { log += "a"; }, [&] { log += "."; }));
  CHECK(one.run([&] { log += "b"; }, [&] { log += "."; }));
  CHECK(log == "a.b.");
}

TEST_CASE("given work that asks for more, when it is done, then the rest follows in its order") {
  sequencer one;
  std::string log;
  const auto after = [&] { log += "."; };
  const bool ran = one.run(
      [&] {
        log += "(";
        CHECK_FALSE(one.run(
            [&] {
              log += "a";
              CHECK_FALSE(one.run([&] { log += "c"; }, nothing));
            },
            nothing));
        CHECK_FALSE(one.run([&] { log += "b"; }, nothing));
        log += ")";
      },
      after);
  CHECK(ran);
  CHECK(log == "().a.b.c.");
}

TEST_CASE("given what comes after each, when it asks for more, then that is done as well") {
  sequencer one;
  std::string log;
  int left = 3;
  one.run([&] { log += "a"; },
          [&] {
            log += ".";
            if (left-- > 0) one.run([&] { log += "b"; }, nothing);
          });
  CHECK(log == "a.b.b.b.");
}

TEST_CASE(
    "given several threads, when they all ask, then one at a time works and nothing is lost") {
  constexpr int threads = 4;
  constexpr int each = 2000;
  sequencer one;
  int done = 0;  // not atomic on purpose
  int ended = 0;
  bool busy = false;
  bool overlapped = false;
  {
    std::vector<std::jthread> all;
    for (int thread = 0; thread < threads; ++thread) {
      all.emplace_back([&] {
        for (int round = 0; round < each; ++round) {
          one.run(
              [&] {
                overlapped = overlapped || busy;
                busy = true;
                ++done;
                busy = false;
              },
              [&] { ++ended; });
        }
        one.wait_for_rest();
      });
    }
  }
  CHECK(done == threads * each);
  CHECK(ended == threads * each);
  CHECK_FALSE(overlapped);
}

TEST_CASE("given work of one thread, when it is left to another, then its own order is kept") {
  constexpr int threads = 4;
  sequencer one;
  std::vector<int> last(threads, -1);
  bool in_order = true;
  {
    std::vector<std::jthread> all;
    for (std::size_t thread = 0; thread < threads; ++thread) {
      all.emplace_back([&, thread] {
        for (int round = 0; round < 1000; ++round) {
          one.run(
              [&, thread, round] {
                in_order = in_order && last[thread] == round - 1;
                last[thread] = round;
              },
              nothing);
        }
        one.wait_for_rest();
      });
    }
  }
  CHECK(in_order);
}

TEST_CASE(
    "given a thread at work, when others wait for the rest, then what they left is done before") {
  sequencer one;
  std::promise<void> at_work;
  std::promise<void> go;
  std::jthread worker{[&] {
    one.run(
        [&] {
          at_work.set_value();
          go.get_future().wait();
        },
        nothing);
  }};
  at_work.get_future().wait();
  bool done = false;
  REQUIRE_FALSE(one.run([&] { done = true; }, nothing));
  std::promise<void> waits;
  auto seen = std::async(std::launch::async, [&] {
    waits.set_value();
    one.wait_for_rest();
    return done;
  });
  waits.get_future().wait();
  go.set_value();
  CHECK(seen.get());
}

TEST_CASE(
    "given the thread at work, when it waits for the rest, then it does not wait for itself") {
  sequencer one;
  bool came_back = false;
  one.run(
      [&] {
        one.run(nothing, nothing);
        one.wait_for_rest();
        came_back = true;
      },
      nothing);
  CHECK(came_back);
  one.wait_for_rest();  // and at rest there is nothing to wait for
}

TEST_CASE("given work that owns something, when it is done, then it is let go of") {
  sequencer one;
  const auto owned = std::make_shared<int>(1);
  one.run([&] { one.run([owned] { static_cast<void>(owned); }, nothing); }, nothing);
  CHECK(owned.use_count() == 1);
}
