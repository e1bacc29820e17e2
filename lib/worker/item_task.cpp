// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <span>

#include <coterie/detail/function_task.hpp>

namespace coterie::detail {

void item_task::run(std::span<const std::byte> items, std::size_t first, std::size_t end,
                    result_sink& sink) {
  auto rest = items_between(items, item_size_, first, end);
  for (std::size_t index = first; index < end;) {
    const std::size_t allowed = sink.allowance();
    if (allowed == 0) return;
    const std::size_t until = allowed < end - index ? index + allowed : end;
    while (index < until) index += run_some(rest, until - index, sink);
  }
}

}  // namespace coterie::detail
