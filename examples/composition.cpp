// SPDX-License-Identifier: BSL-1.0

// Shows that pool calls are Asio operations like all others: one coroutine program in which a
// `map`, a timer and a conversation over a socket share a loop and a thread, joined by `||`
// (whichever succeeds first; the other is cancelled), by `&&` (both), and given a deadline by
// `coterie::within`.

#include <chrono>
#include <numeric>
#include <ranges>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <coterie/coterie.hpp>

#include "coroutines.hpp"
#include "example.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

constexpr int block_size = 10'000;

bool is_prime(int number) {
  for (int divisor = 2; divisor <= number / divisor; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return number > 1;
}

int count_primes(int block) {
  int primes = 0;
  for (int i = 0; i < block_size; ++i) primes += is_prime(block * block_size + i) ? 1 : 0;
  return primes;
}

int sum(const std::vector<int>& counts) { return std::accumulate(counts.begin(), counts.end(), 0); }

void sleep_for_an_hour(int) { std::this_thread::sleep_for(1h); }

// ---- a timer ----------------------------------------------------------------------------------

asio::awaitable<void> tick(int& ticks) {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  for (;; ++ticks) {
    timer.expires_after(10ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> map_or_timer(coterie::pool& pool, int size) {
  const example::stopwatch watch;
  int ticks = 0;
  const auto blocks = std::views::iota(0, size);
  // Beware: `||` waits for the first *success*, and this timer never ends. So an error of the map
  // must count as one, or it would never be seen. (For a deadline there is `coterie::within`,
  // below.)
  const auto first = co_await (example::settled(pool.map(count_primes, blocks)) || tick(ticks));
  const int primes = sum(std::get<0>(first).value());
  fmt::print("map || endless timer: {} primes below {} in {}; meanwhile the timer fired {}.\n",
             primes, size * block_size, example::duration(watch.seconds()),
             example::count(ticks, "time"));
  if (size == 100) example::check(primes == 78'498, "there are 78498 primes below a million");
}

asio::awaitable<void> map_within_a_time(coterie::pool& pool) {
  const example::stopwatch watch;
  const std::vector<int> hours(100);
  bool late = false;
  try {
    co_await coterie::within(pool.map(sleep_for_an_hour, hours), 100ms);
  } catch (const coterie::timeout_error&) {
    late = true;
  }
  example::check(late, "100 hours do not pass in 100 ms");
  const double ended = watch.seconds();

  // The map was cancelled, and its workers were replaced: none sleeps any more.
  const int primes = co_await pool.apply(count_primes, 0);
  example::check(primes == 1'229, "there are 1229 primes below ten thousand");
  fmt::print(
      "hours of sleep within 100 ms: ended after {}, and the pool answered the next call {} later.\n",
      example::duration(ended), example::duration(watch.seconds() - ended));
}

// ---- a conversation ---------------------------------------------------------------------------

/// Answers each line, a number, with "prime" or "composite". The pool thinks; the server talks.
asio::awaitable<void> answer_questions(tcp::acceptor& acceptor, coterie::pool& pool) {
  tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
  std::string received;
  for (;;) {
    const auto length = co_await asio::async_read_until(socket, asio::dynamic_buffer(received),
                                                        '\n', asio::use_awaitable);
    const int number = std::stoi(received.substr(0, length));
    received.erase(0, length);
    const bool prime = co_await pool.apply(is_prime, number);
    const std::string answer = prime ? "prime\n" : "composite\n";
    co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
  }
}

/// Asks for each number, and returns those that are said to be prime.
asio::awaitable<std::vector<int>> ask(tcp::endpoint server, std::vector<int> numbers) {
  tcp::socket socket{co_await asio::this_coro::executor};
  co_await socket.async_connect(server, asio::use_awaitable);
  std::vector<int> primes;
  std::string received;
  for (const int number : numbers) {
    const std::string question = fmt::format("{}\n", number);
    co_await asio::async_write(socket, asio::buffer(question), asio::use_awaitable);
    const auto length = co_await asio::async_read_until(socket, asio::dynamic_buffer(received),
                                                        '\n', asio::use_awaitable);
    if (received.substr(0, length) == "prime\n") primes.push_back(number);
    received.erase(0, length);
  }
  co_return primes;
}

asio::awaitable<void> map_and_conversation(coterie::pool& pool, int size) {
  const auto loop = co_await asio::this_coro::executor;
  tcp::acceptor acceptor{loop, {asio::ip::address_v4::loopback(), 0}};
  const std::vector<int> questions{91, 97, 2'147'483'647, 1'000'001, 7'919};
  const auto blocks = std::views::iota(0, size);

  // Both the map and the conversation must end; then the server is no longer needed.
  const auto result =
      co_await ((pool.map(count_primes, blocks) && ask(acceptor.local_endpoint(), questions)) ||
                answer_questions(acceptor, pool));
  example::check(result.index() == 0, "the server ends last");
  const auto& [counts, primes] = std::get<0>(result);

  fmt::print(
      "map && conversation: {} primes below {}; asked about {} numbers, told that {} are "
      "prime.\n",
      sum(counts), size * block_size, questions.size(), primes.size());
  const std::vector<int> expected{97, 2'147'483'647, 7'919};
  example::check(primes == expected, "answers of the server");
}

asio::awaitable<int> program(int argc, char** argv) {
  int processes = 0;
  int size = 100;
  CLI::App app{"A pool, a timer and a socket in one coroutine program, joined by || and &&."};
  example::add_processes(app, processes);
  app.add_option("--size", size, "Blocks of 10000 numbers in which primes are counted")
      ->check(CLI::Range(1, 200'000))
      ->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;

  coterie::pool pool{co_await asio::this_coro::executor, {.processes = processes}};
  co_await map_or_timer(pool, size);
  co_await map_within_a_time(pool);
  co_await map_and_conversation(pool, size);
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
