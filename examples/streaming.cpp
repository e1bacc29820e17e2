// SPDX-License-Identifier: BSL-1.0

// Shows results as a stream: `imap`, in the order of the input, beside `imap_unordered`, as they
// finish, with time stamps; and a long stream with progress.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/coterie.hpp>

#include "coroutines.hpp"
#include "example.hpp"

namespace asio = boost::asio;

namespace {

/// Stands for what waits instead of computing: a download that takes so many tenths of a second.
int fetch(int tenths) {
  std::this_thread::sleep_for(std::chrono::milliseconds{100 * tenths});
  return tenths;
}

struct arrival {
  int tenths = 0;
  double at = 0.0;
};

asio::awaitable<std::vector<arrival>> receive(coterie::stream<int> results) {
  const example::stopwatch watch;
  std::vector<arrival> arrivals;
  while (const auto tenths = co_await results.next()) {
    arrivals.push_back({*tenths, watch.seconds()});
  }
  co_return arrivals;
}

asio::awaitable<void> orders(coterie::pool& pool) {
  co_await example::all_workers_ready(pool);
  const std::vector<int> items{6, 1, 2, 1, 3, 2};
  const auto ordered = co_await receive(pool.imap(fetch, items, {.chunksize = 1}));
  const auto unordered = co_await receive(pool.imap_unordered(fetch, items, {.chunksize = 1}));

  fmt::print("Pretended downloads of 600, 100, 200, 100, 300 and 200 ms, as they arrive:\n\n");
  fmt::print("  {:<22}  {}\n", "imap", "imap_unordered");
  const auto show = [](const arrival& one) {
    return fmt::format("{:>8}: {} ms", example::duration(one.at), one.tenths * 100);
  };
  for (std::size_t i = 0; i < items.size(); ++i) {
    fmt::print("  {:<22}  {}\n", show(ordered.at(i)), show(unordered.at(i)));
  }
  fmt::print(
      "\nThe first result came after {} from imap, and after {} from imap_unordered:\n"
      "imap holds back what is ready until all before it have been given out.\n\n",
      example::duration(ordered.front().at), example::duration(unordered.front().at));

  example::check(std::ranges::equal(ordered, items, {}, &arrival::tenths), "imap keeps the order");
  example::check(std::ranges::is_permutation(unordered, items, {}, &arrival::tenths),
                 "imap_unordered gives each result once");
}

/// Numbers of the Collatz sequence from `start` to 1.
int collatz_length(int start) {
  int length = 1;
  for (std::int64_t number = start; number != 1; ++length) {
    number = number % 2 == 0 ? number / 2 : 3 * number + 1;
  }
  return length;
}

/// The longest of a thousand sequences.
int longest_of_block(int block) {
  int longest = 0;
  for (int i = 1; i <= 1'000; ++i) longest = std::max(longest, collatz_length(block * 1'000 + i));
  return longest;
}

/// A bar that is drawn over itself on a terminal, and a line now and then anywhere else.
void show_progress(int done, int total, double seconds) {
  static const bool terminal = isatty(STDOUT_FILENO) == 1;
  if (total < 10 || done % (terminal ? total / 100 + 1 : total / 5) != 0) {
    if (done != total) return;
  }
  const int filled = static_cast<int>(20LL * done / total);
  fmt::print("{}  [{:<20}] {:>4} of {}, {:>5.0f} a second{}", terminal ? "\r" : "",
             std::string(static_cast<std::size_t>(filled), '#'), done, total, done / seconds,
             terminal && done != total ? "" : "\n");
  std::fflush(stdout);
}

asio::awaitable<void> progress(coterie::pool& pool, int size) {
  fmt::print("{} of 1000 Collatz sequences each:\n", example::count(size, "block"));
  const example::stopwatch watch;
  auto lengths = pool.imap_unordered(longest_of_block, std::views::iota(0, size));
  int done = 0;
  int longest = 0;
  while (const auto length = co_await lengths.next()) {
    longest = std::max(longest, *length);
    show_progress(++done, size, watch.seconds());
  }
  fmt::print("The longest sequence from a number up to {} has {} members.\n", size * 1'000,
             longest);

  example::check(done == size, "a result for each item");
  if (size == 1'000) example::check(longest == 525, "837799 has the longest below a million: 525");
}

asio::awaitable<int> program(int argc, char** argv) {
  int processes = 0;
  int size = 1'000;
  CLI::App app{"Streams of results: in order, as they finish, with progress."};
  example::add_processes(app, processes);
  app.add_option("--size", size, "Items of the stream with progress")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;

  coterie::pool pool{co_await asio::this_coro::executor, {.processes = processes}};
  co_await orders(pool);
  co_await progress(pool, size);
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
