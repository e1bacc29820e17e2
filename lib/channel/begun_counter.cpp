// SPDX-License-Identifier: BSL-1.0
#include "channel/begun_counter.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include <boost/system/system_error.hpp>

namespace coterie::detail {

bool begun_writer::claim_up_to(std::size_t end) noexcept {
  if (!counter_) return true;
  now_.items = std::min<std::uint64_t>(end, begun_items::most_items);
  const std::uint64_t more = now_.packed() - noted_;
  if (more == 0) return true;
  while (::write(counter_.get(), &more, sizeof more) < 0) {
    if (errno != EINTR) return false;
  }
  noted_ += more;
  return true;
}

begun_reader::begun_reader() : counter_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  if (!counter_) {
    throw boost::system::system_error{errno, boost::system::system_category(),
                                      "cannot make an eventfd"};
  }
}

void begun_reader::ended(chunk_id chunk) noexcept {
  const auto found = std::ranges::find(under_way_, chunk, &sent_chunk::chunk);
  if (found != under_way_.end()) under_way_.erase(found);
}

std::optional<std::size_t> begun_reader::begun(chunk_id chunk, std::size_t done) noexcept {
  const auto found = std::ranges::find(under_way_, chunk, &sent_chunk::chunk);
  if (found == under_way_.end()) return std::nullopt;
  std::uint64_t value = 0;
  if (::read(counter_.get(), &value, sizeof value) < 0 && errno != EAGAIN) return std::nullopt;
  const auto now = begun_items::unpacked(value);
  // Of a later chunk it begins nothing before all that it ran of this one has arrived.
  if (now.chunk > found->number) return std::nullopt;
  std::uint64_t items = now.chunk == found->number ? now.items : 0;
  if (told_.chunk == chunk) items = std::max(items, told_.items);
  if (items >= begun_items::most_items) return std::numeric_limits<std::size_t>::max();
  return items > done ? static_cast<std::size_t>(items) - done : 0;
}

}  // namespace coterie::detail
