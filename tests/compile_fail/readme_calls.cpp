// SPDX-License-Identifier: BSL-1.0
// A control: the calls that README.md shows.
#include <chrono>
#include <string>
#include <vector>

#include <coterie/coterie.hpp>

namespace asio = boost::asio;
using namespace std::chrono_literals;

double power(double base, int exponent);
std::string shrink(const std::string& path);
int slow(int number);
int f(int item);
void publish(const std::string& thumb);
void log(const char* line);

asio::awaitable<void> calls(coterie::pool& pool, const std::vector<std::string>& paths,
                            const std::vector<int>& items) {
  // clang-format off
  auto result = co_await pool.apply(power, 2.0, 10);              // one call

  auto thumbs = pool.imap_unordered(shrink, paths);               // results as they finish
  while (auto thumb = co_await thumbs.next()) publish(*thumb);

  auto pending = pool.apply_async(slow, 7);                       // started; to be looked at
  if (!co_await pending.wait(200ms)) log("still busy");
  int value = co_await pending.get(5s);                           // or timeout_error

  auto soon = co_await coterie::within(pool.map(f, items), 3s);   // or timeout_error
  // if the time passes first, the workers that ran f are replaced, and the pool is free;
  // with coterie::when_late::let_finish as a third argument, they finish what they have begun
  // clang-format on
  auto finished = co_await coterie::within(pool.map(f, items), 3s, coterie::when_late::let_finish);
}
