// SPDX-License-Identifier: BSL-1.0

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/init.hpp>
#include <coterie/pool.hpp>

#include "../support/call_times.hpp"
#include "../support/coterie_run.hpp"
#include "../support/spin.hpp"

namespace asio = boost::asio;

namespace {

asio::awaitable<int> program(int argc, char** argv) {
  bench::call_times times;
  const bench::coterie_run run{argc, argv, "The time of an apply.", times.options()};
  coterie::pool pool{co_await asio::this_coro::executor, run.options()};
  co_await run.ready(pool);

  for (std::int64_t call = 0; times.more(); ++call) {
    const bench::stopwatch watch;
    const std::int64_t result = co_await pool.apply(bench::identity, call);
    times.add(watch.seconds());
    bench::expect(result == call, "apply");
  }
  times.print();
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
