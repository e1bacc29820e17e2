// SPDX-License-Identifier: BSL-1.0

// What comes of the rule for chunks in a whole pool, by a made-up clock: docs/chunks.md.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include <catch2/catch.hpp>

#include "pool_simulation.hpp"
#include "task_times.hpp"
#include "timing/timing.hpp"

namespace {

namespace timing = coterie::detail::timing;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;
using task_times::times;

struct kind {
  const char* name;
  times items;
};

struct measured {
  pool_simulation::outcome job;
  nanoseconds idle_at_the_end;
};

measured map(int workers, const times& items, std::size_t chunksize = 0, bool takes_back = true) {
  pool_simulation pool{workers, takes_back};
  const auto id = pool.call(0ns, items, {.chunksize = chunksize});
  pool.run();
  return {pool.result(id), pool.idle_at_the_end()};
}

std::size_t in(nanoseconds time, nanoseconds item) { return static_cast<std::size_t>(time / item); }

std::size_t scale(int workers) { return static_cast<std::size_t>(workers < 8 ? 2 : workers); }

/// Some tenths of a second of work for each worker.
std::vector<kind> kinds(int workers) {
  const std::size_t some = scale(workers);
  return {{"uneven", task_times::uneven(2000 * some, 1us)},
          {"growing", task_times::growing(2000 * some, 1us)},
          {"shrinking", task_times::shrinking(2000 * some, 1us)},
          {"heavy-tailed", task_times::pareto(10'000 * some, 10us)},
          {"one in a thousand", task_times::outliers(50'000 * some, 1us)}};
}

nanoseconds best_fixed(int workers, const times& items) {
  nanoseconds best = nanoseconds::max();
  for (const std::size_t size : {1U, 4U, 16U, 64U, 256U, 1024U}) {
    if (items.size() / size < 50'000) best = std::min(best, map(workers, items, size).job.took());
  }
  return best;
}

double seconds(nanoseconds time) { return std::chrono::duration<double>{time}.count(); }

/// What a worker waits between two chunks, when it holds no second one.
constexpr nanoseconds gap = 2 * pool_simulation::message + pool_simulation::parent;

/// Waits of calls that are made every five milliseconds while items are mapped, in ascending order.
std::vector<nanoseconds> waits_beside(pool_simulation& pool, nanoseconds how_long) {
  std::vector<pool_simulation::job_id> calls;
  for (nanoseconds when = 5ms; when < how_long; when += 5ms) {
    calls.push_back(pool.call(when, {1us}));
  }
  pool.run();
  std::vector<nanoseconds> waits;
  for (const auto call : calls) waits.push_back(pool.result(call).took());
  std::ranges::sort(waits);
  return waits;
}

nanoseconds p99(const std::vector<nanoseconds>& sorted) { return sorted[sorted.size() * 99 / 100]; }

}  // namespace

TEST_CASE("given items of equal length, when they are mapped, then hardly anything is lost") {
  for (const int workers : {1, 2, 8}) {
    for (const nanoseconds item : {nanoseconds{1us}, {10us}, {100us}, {1ms}}) {
      INFO(workers << " workers, items of " << seconds(item) << " s");
      const auto job = map(workers, task_times::even(in(workers * 1s, item), item)).job;
      CHECK(job.efficiency(workers) > 0.998);
    }
  }
}

TEST_CASE(
    "given items that suddenly take a thousand times as long, when mapped, then all share them") {
  for (const int workers : {2, 8}) {
    for (const std::size_t chunksize : {0U, 1U}) {
      INFO(workers << " workers, chunk size " << chunksize);
      const auto some = static_cast<std::size_t>(workers);
      times items = task_times::even(3000 * some, 1us);
      const auto long_ones = task_times::even(300 * some, 1ms);
      items.insert(items.end(), long_ones.begin(), long_ones.end());
      CHECK(map(workers, items, chunksize).job.efficiency(workers) > 0.99);
    }
  }
}

TEST_CASE("given a map, when it ends, then no worker has been idle for longer than sharing takes") {
  for (const int workers : {2, 8}) {
    for (const nanoseconds item : {nanoseconds{1us}, {10us}, {100us}, {1ms}}) {
      INFO(workers << " workers, items of " << seconds(item) << " s");
      const auto result = map(workers, task_times::even(in(workers * 100ms, item), item));
      CHECK(result.idle_at_the_end <= timing::min_theft + pool_simulation::stride + item + gap);
    }
  }
}

TEST_CASE(
    "given workers that give nothing back, when items are mapped, then 2% are lost but for the ends") {
  for (const int workers : {1, 2, 8, 64}) {
    for (const nanoseconds item : {nanoseconds{1us}, {10us}, {100us}, {1ms}, {100ms}}) {
      INFO(workers << " workers, items of " << seconds(item) << " s");
      const auto each = std::min<std::size_t>(std::max<std::size_t>(in(500ms, item), 10), 20'000);
      const auto result = map(workers, task_times::even(each * scale(workers), item), 0, false);
      const auto ideal = result.job.work / workers;
      // A few doublings at the start, each of which the parent sends to every worker.
      const auto start = 100us * workers;
      const auto end = timing::longest_chunk + item;
      CHECK(seconds(result.job.took()) <= 1.02 * seconds(ideal) + seconds(start + end));
      CHECK(result.idle_at_the_end <= end + gap);
    }
  }
}

TEST_CASE("given a map of some time, when its items are of equal length, then 2% are lost in all") {
  for (const nanoseconds item : {nanoseconds{1us}, {10us}, {100us}, {1ms}}) {
    INFO("items of " << seconds(item) << " s");
    CHECK(map(2, task_times::even(in(1s, item), item)).job.efficiency(2) > 0.98);
  }
}

TEST_CASE("given a long map, when nothing else is called, then hardly anything is lost") {
  for (const nanoseconds item : {nanoseconds{10us}, {100us}, {1ms}}) {
    INFO("items of " << seconds(item) << " s");
    CHECK(map(2, task_times::even(in(10s, item), item)).job.efficiency(2) > 0.995);
  }
}

TEST_CASE("given a short map, when it ends, then its last chunks end together") {
  for (const int workers : {2, 8, 64}) {
    for (const nanoseconds item : {nanoseconds{1us}, {10us}, {100us}}) {
      INFO(workers << " workers, items of " << seconds(item) << " s");
      const auto result = map(workers, task_times::even(in(5ms * workers, item), item));
      const nanoseconds aim =
          std::max({nanoseconds{timing::shortest_chunk}, timing::shortest_chunk_each * workers,
                    result.job.took() / 20});
      // A worker that runs short chunks holds two.
      CHECK(result.idle_at_the_end <= 2 * (aim + item));
    }
  }
}

TEST_CASE(
    "given items of very different length, when they are mapped, then it is nearly as quick "
    "as with the best fixed chunks") {
  for (const int workers : {1, 2, 8, 64}) {
    for (const kind& each : kinds(workers)) {
      INFO(workers << " workers, " << each.name);
      CHECK(seconds(map(workers, each.items).job.took()) <=
            1.1 * seconds(best_fixed(workers, each.items)));
    }
  }
}

TEST_CASE(
    "given items of very different length, when a map ends, then its last chunks end within "
    "two of the longest") {
  for (const int workers : {2, 8, 64}) {
    for (const kind& each : kinds(workers)) {
      INFO(workers << " workers, " << each.name);
      const nanoseconds longest = *std::ranges::max_element(each.items);
      CHECK(map(workers, each.items).idle_at_the_end <= 2 * (timing::longest_chunk + longest));
    }
  }
}

TEST_CASE(
    "given few items that grow a thousandfold, when they are mapped, then no worker is given "
    "all of them") {
  for (const int workers : {2, 8}) {
    const times items = task_times::growing(500, 1us);
    CHECK(seconds(map(workers, items).job.took()) <= 1.1 * seconds(best_fixed(workers, items)));
  }
}

TEST_CASE("given the same items, when more follow, then the first chunks are the same") {
  times items = task_times::uneven(1000, 1us);
  const auto few = map(1, items).job.chunks;
  const auto more = task_times::even(1000, 1ms);
  items.insert(items.end(), more.begin(), more.end());
  const auto many = map(1, items).job.chunks;
  CHECK(std::equal(few.begin(), few.end() - 1, many.begin()));
}

TEST_CASE("given a stream, when it begins, then answers come early and steadily") {
  for (const int workers : {1, 2, 8}) {
    for (const nanoseconds item : {nanoseconds{1us}, {10us}, {100us}, {1ms}}) {
      INFO(workers << " workers, items of " << seconds(item) << " s");
      pool_simulation pool{workers};
      const auto id = pool.call(
          0ns,
          task_times::even(std::min<std::size_t>(in(200ms, item), 20'000) * scale(workers), item),
          {.held_until_consumed = true});
      pool.run();
      const auto& arrivals = pool.result(id).arrivals;
      CHECK(arrivals.front() <= item + gap);
      nanoseconds longest_behind{};
      for (std::size_t index = 0; index < arrivals.size(); ++index) {
        const auto ideal = item * static_cast<nanoseconds::rep>(index) / workers;
        longest_behind = std::max(longest_behind, arrivals[index] - ideal * 11 / 10);
      }
      CHECK(longest_behind <= 2 * (timing::shortest_chunk + item) + 100us * workers);
    }
  }
}

TEST_CASE(
    "given a narrow window, when a stream of short items runs, then every worker has a share") {
  pool_simulation pool{4};
  const auto id = pool.call(0ns, task_times::even(2000, 20us),
                            {.chunksize = 0, .window = 16, .held_until_consumed = true});
  pool.run();
  CHECK(std::ranges::max(pool.result(id).chunks) == 2);
  CHECK(pool.result(id).efficiency(4) > 0.7);
}

TEST_CASE(
    "given calls beside a long map, when they are made, then each waits for what a worker has claimed") {
  for (const int workers : {1, 2, 8}) {
    for (const nanoseconds item : {nanoseconds{1us}, {100us}, {700us}, {1500us}}) {
      INFO(workers << " workers, items of " << seconds(item) << " s");
      pool_simulation pool{workers};
      const auto map = pool.call(0ns, task_times::even(in(1s * workers, item), item));
      const auto waits = waits_beside(pool, 990ms);
      CHECK(waits.back() <= std::max(item, pool_simulation::stride) + 3 * gap);
      CHECK(pool.result(map).efficiency(workers) > 0.985);
    }
  }
}

TEST_CASE(
    "given workers that give nothing back, when 100 calls are made beside a long map, then 99 wait for "
    "one chunk at most") {
  for (const int workers : {1, 2, 8}) {
    for (const nanoseconds item : {nanoseconds{1us}, {100us}, {700us}, {1500us}}) {
      for (const std::size_t chunksize : {0U, 20U}) {
        if (chunksize > 0 && item < 100us) continue;  // here a worker holds more than one
        INFO(workers << " workers, items of " << seconds(item) << " s, chunk size " << chunksize);
        pool_simulation pool{workers, false};
        const auto map = pool.call(0ns, task_times::even(in(1s * workers, item), item),
                                   {.chunksize = chunksize});
        const auto waits = waits_beside(pool, 990ms);
        CHECK(p99(waits) <= pool.result(map).longest_chunk + 2 * gap);
        CHECK(pool.result(map).efficiency(workers) > 0.97);
      }
    }
  }
}

TEST_CASE(
    "given calls beside a map of uneven items, when 100 were made, then 99 waited for no more "
    "than a chunk aims at and the longest item") {
  pool_simulation pool{2};
  pool.call(0ns, task_times::uneven(20'000, 1us));
  CHECK(p99(waits_beside(pool, 1400ms)) <= timing::longest_chunk + 1ms + 2 * gap);
}

TEST_CASE(
    "given chunks of a size that is too small, when they are mapped, then workers hold enough "
    "of them to go on") {
  const times items = task_times::even(50'000, 10us);
  CHECK(map(2, items, 2).job.efficiency(2) > 0.98);
  CHECK(map(8, items, 20).job.efficiency(8) > 0.98);
}
