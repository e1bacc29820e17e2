// SPDX-License-Identifier: BSL-1.0

// The whole worker in the test's process and thread, on a made-up runtime, which can kill it at any
// operation.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>
#include <coterie/detail/function_task.hpp>

#include "loop_wire.hpp"
#include "messages/setup_frame.hpp"
#include "processes/exit_status.hpp"
#include "worker/current_worker.hpp"

namespace {

using namespace coterie::detail;
using namespace std::chrono_literals;
using way = loop_wire::way;

made_up_runtime* runtime_of_tasks = nullptr;

int twice(int value) { return 2 * value; }
int never_negative(int value) {
  runtime_of_tasks->yield();  // an operation in the middle of an item
  if (value < 0) throw std::invalid_argument{"negative"};
  return value;
}
int takes_seconds(int seconds) {
  runtime_of_tasks->time += std::chrono::seconds{seconds};
  return seconds;
}
std::string in_words(int value) {
  if (never_negative(value) == 0) return "nothing";
  return std::to_string(value);
}
std::int64_t rank_and_item(int) {
  return 100 * coterie::this_worker::rank() + 10 * coterie::this_worker::size() +
         coterie::this_worker::item();
}
void cannot() { throw std::runtime_error{"cannot"}; }

template <class Result>
frames::bytes definition_of(Result (*function)(int)) {
  const function_reference factory = locate(&make_function_task<whole_item, Result (*)(int), int>);
  byte_buffer all;
  all.append(&factory, sizeof factory);
  encode_callable(all, function);
  return {all.view().begin(), all.view().end()};
}

worker_function function_of(void (*function)()) {
  return include_coterie_pool_hpp_to_make_a_worker_task<void (*)()>::of(function);
}

frames::bytes setup_for(int size, const worker_function& initializer = {},
                        const worker_function& finalizer = {}) {
  byte_buffer all;
  encode(all, worker_setup{.size = size, .initializer = initializer, .finalizer = finalizer});
  return {all.view().begin(), all.view().end()};
}

frames::bytes items(const std::vector<int>& values) {
  const auto all = std::as_bytes(std::span{values});
  return {all.begin(), all.end()};
}

void say_run(loop_wire& wire, job_id job, const std::vector<int>& values) {
  wire.say(message::run{.job = job,
                        .chunk = job,
                        .first = 0,
                        .begin = 0,
                        .end = static_cast<std::uint32_t>(values.size())},
           items(values));
}

/// Defines a job, and sends one chunk of it.
template <class Result>
void give(loop_wire& wire, job_id job, Result (*function)(int), const std::vector<int>& values,
          bool is_all = false) {
  wire.say(message::define{.job = job,
                           .chunksize = 0,
                           .seed = 7,
                           .is_stream = 1,
                           .is_for_one_chunk = is_all ? 1U : 0U},
           definition_of(function));
  say_run(wire, job, values);
}

/// All that a worker can do, but to wait for ever.
void give_everything(loop_wire& wire) {
  runtime_of_tasks = &wire.runtime;
  wire.say(message::setup{.incarnation = 4}, setup_for(3, {}, function_of(cannot)));
  give(wire, 1, twice, {1, 2, 3});
  give(wire, 2, never_negative, {1, -2, 3});
  give(wire, 3, in_words, {0, -1, 2});
  wire.say(message::forget{.job = 1});
  wire.say(message::cancel{.job = 2});
  wire.say(message::stop{});
}

std::vector<message_kind> kinds_of(const std::vector<loop_wire::message>& sent) {
  std::vector<message_kind> all;
  for (const auto& each : sent) all.push_back(each.header.kind);
  return all;
}

/// The raw results of a job.
template <class Result>
std::vector<Result> results_of(const std::vector<loop_wire::message>& sent, job_id job) {
  std::vector<Result> all;
  for (const auto& each : sent) {
    if (each.header.kind != message_kind::values) continue;
    const auto what = frames::results_of(each.header);
    if (what.job != job) continue;
    REQUIRE(each.payload.size() == what.count * sizeof(Result));
    const std::size_t before = all.size();
    all.resize(before + what.count);
    std::memcpy(all.data() + before, each.payload.data(), each.payload.size());
  }
  return all;
}

std::size_t failures_in(const std::vector<loop_wire::message>& sent) {
  std::size_t count = 0;
  for (const auto& each : sent) count += each.header.kind == message_kind::failure ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("given a worker in this process, when it is given chunks, then it answers and leaves") {
  loop_wire wire{GENERATE(way::rings, way::socket)};
  give_everything(wire);
  const worker_ended end = wire.run();
  CHECK(end.how == worker_ended::way::exit);
  CHECK(end.code == 0);
  const auto sent = wire.sent();
  const auto kinds = kinds_of(sent);
  REQUIRE(kinds.size() > 3);
  CHECK(kinds[0] == message_kind::hello);
  CHECK(kinds[1] == message_kind::ready);
  CHECK(kinds.back() == message_kind::left);  // the finalizer threw
  CHECK(results_of<int>(sent, 1) == std::vector{2, 4, 6});
  CHECK(results_of<int>(sent, 2) == std::vector{1, 3});
  CHECK(failures_in(sent) == 2);
  CHECK(coterie::this_worker::rank() == -1);
}

TEST_CASE("given a job of one chunk, when the chunk has run, then its function is forgotten") {
  loop_wire wire{GENERATE(way::rings, way::socket)};
  runtime_of_tasks = &wire.runtime;
  wire.say(message::setup{.incarnation = 0}, setup_for(1));
  give(wire, 1, twice, {1, 2, 3}, true);
  give(wire, 2, twice, {4});
  // What is not known has been cancelled: it is answered, and not run.
  say_run(wire, 1, {5});
  say_run(wire, 2, {6});
  wire.say(message::stop{});
  static_cast<void>(wire.run());
  const auto sent = wire.sent();
  CHECK(results_of<int>(sent, 1) == std::vector{2, 4, 6});
  CHECK(results_of<int>(sent, 2) == std::vector{8, 12});
  CHECK(std::ranges::count_if(sent, frames::ends_chunk, &loop_wire::message::header) == 4);
}

TEST_CASE("given a chunk, when it is over, then its results tell so, unless it took too long") {
  loop_wire wire{GENERATE(way::rings, way::socket)};
  runtime_of_tasks = &wire.runtime;
  wire.say(message::setup{.incarnation = 0}, setup_for(1));
  give(wire, 1, takes_seconds, {4});
  give(wire, 2, takes_seconds, {5});
  wire.say(message::stop{});
  static_cast<void>(wire.run());
  std::vector<std::uint64_t> times;
  for (const auto& each : wire.sent()) {
    const message_kind kind = each.header.kind;
    if (kind == message_kind::values) times.push_back(frames::results_of(each.header).busy);
    if (kind == message_kind::done) times.push_back(each.header.as<message::done>().busy);
  }
  REQUIRE(times.size() == 3);
  constexpr std::uint64_t second = 1'000'000'000;
  CHECK((times[0] >= 4 * second && times[0] < 5 * second));
  CHECK(times[1] == 0);
  CHECK((times[2] >= 5 * second && times[2] < 6 * second));
}

TEST_CASE(
    "given a worker that is killed at any operation, when that is thrown, then it does no more") {
  const way frames_travel = GENERATE(way::rings, way::socket);
  std::size_t operations = 0;
  for (std::size_t life = 0;; ++life) {
    loop_wire wire{frames_travel};
    wire.runtime.life = life;
    std::array<std::uint64_t, 3> at_its_end{};
    wire.runtime.when_it_ends = [&] { at_its_end = wire.trace(); };
    give_everything(wire);
    const worker_ended end = wire.run();
    INFO("after " << life << " operations");
    REQUIRE(wire.trace() == at_its_end);
    REQUIRE(current_worker == nullptr);
    // Only what the tasks have thrown is told.
    REQUIRE(failures_in(wire.sent()) <= 2);
    if (end.how != worker_ended::way::killed) break;
    ++operations;
  }
  CHECK(operations > 20);
}

TEST_CASE("given an initializer that throws, when a worker begins, then it says so, and ends") {
  loop_wire wire{GENERATE(way::rings, way::socket)};
  wire.say(message::setup{.incarnation = 0}, setup_for(1, function_of(cannot)));
  const worker_ended end = wire.run();
  CHECK(end.how == worker_ended::way::exit_at_once);
  CHECK(end.code == exit_not_ready);
  CHECK(kinds_of(wire.sent()) == std::vector{message_kind::hello, message_kind::not_ready});
}

TEST_CASE("given a worker that waits, when its parent is gone, then it ends") {
  loop_wire wire{GENERATE(way::rings, way::socket)};
  wire.say(message::setup{.incarnation = 0}, setup_for(1));
  wire.runtime.while_it_waits = [&] {
    if (!wire.sent().empty()) return;
    wire.close();
  };
  const worker_ended end = wire.run();
  CHECK(end.how == worker_ended::way::exit_at_once);
  CHECK(end.code == 0);
}

TEST_CASE("given a message that no parent sends, when it comes, then the worker ends") {
  loop_wire wire{GENERATE(way::rings, way::socket)};
  wire.say(message::hello{.version = 1});
  const worker_ended end = wire.run();
  CHECK(end.how == worker_ended::way::exit_at_once);
  CHECK(end.code == exit_bad_frame);
}

TEST_CASE("given two workers in one process, when they run in turns, then each is itself") {
  const way frames_travel = GENERATE(way::rings, way::socket);
  loop_wire first{frames_travel, 3};
  loop_wire second{frames_travel, 5};
  for (loop_wire* const each : {&first, &second}) {
    each->say(message::setup{.incarnation = 0}, setup_for(7));
    give(*each, 1, rank_and_item, {0, 0});
  }
  bool done = false;
  first.runtime.while_it_waits = [&] {
    if (std::exchange(done, true)) return;
    const worker_state* const waiting = std::exchange(current_worker, nullptr);
    second.say(message::stop{});
    CHECK(second.run().code == 0);
    current_worker = waiting;
    give(first, 2, rank_and_item, {0, 0});
    first.say(message::stop{});
  };
  CHECK(first.run().code == 0);
  const auto of_first = first.sent();
  CHECK(results_of<std::int64_t>(of_first, 1) == std::vector<std::int64_t>{370, 371});
  CHECK(results_of<std::int64_t>(of_first, 2) == std::vector<std::int64_t>{370, 371});
  CHECK(results_of<std::int64_t>(second.sent(), 1) == std::vector<std::int64_t>{570, 571});
}

TEST_CASE(
    "given a made-up clock, when a worker polls, then it does for as long as it was offered") {
  loop_wire wire{way::rings, 0, 50us};
  wire.say(message::setup{.incarnation = 0}, setup_for(1));
  worker_runtime::time_point before{};
  bool first_wait = true;
  wire.runtime.while_it_waits = [&] {
    if (std::exchange(first_wait, false)) {
      before = wire.runtime.time;
      return;
    }
    CHECK(wire.runtime.time - before >= 50us);
    CHECK(wire.runtime.time - before < 60us);
    wire.say(message::stop{});
  };
  CHECK(wire.run().code == 0);
  CHECK_FALSE(first_wait);
}
