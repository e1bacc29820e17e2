// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <latch>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace bench {

/// The results of `task(0)`, `task(1)` and so on: each is posted, and written where it belongs.
template <class Task>
std::vector<std::int64_t> map_on(boost::asio::thread_pool& threads, std::size_t tasks, Task task) {
  std::vector<std::int64_t> results(tasks);
  std::latch rest{static_cast<std::ptrdiff_t>(tasks)};
  for (std::size_t each = 0; each < tasks; ++each) {
    boost::asio::post(threads, [&, each] {
      results[each] = task(each);
      rest.count_down();
    });
  }
  rest.wait();
  return results;
}

}  // namespace bench
