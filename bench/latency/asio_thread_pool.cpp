// SPDX-License-Identifier: BSL-1.0

// A thread instead of a process: what a wake-up costs when nothing has to be encoded or sent.

#include <future>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include "../support/call_times.hpp"
#include "../support/spin.hpp"

namespace asio = boost::asio;

int main(int argc, char** argv) {
  std::int64_t processes = 1;
  bench::call_times times;
  bench::parse(argc, argv, "The time of a call in a thread pool.",
               times.options({{"processes", &processes, "Threads"}}));

  asio::thread_pool threads{static_cast<std::size_t>(processes)};
  for (std::int64_t call = 0; times.more(); ++call) {
    const bench::stopwatch watch;
    const std::int64_t result =
        asio::post(threads, asio::use_future([call] { return bench::identity(call); })).get();
    times.add(watch.seconds());
    bench::expect(result == call, "the call");
  }
  times.print();
}
