// SPDX-License-Identifier: BSL-1.0
#include "channel/begun_counter.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

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

// A read takes out of the counter what it finds.
std::optional<claimed_items> begun_reader::claimed() noexcept {
  std::uint64_t value = 0;
  if (::read(counter_.get(), &value, sizeof value) < 0) {
    if (errno != EAGAIN) return std::nullopt;
    value = 0;
  }
  counted_ += value;
  begun_items now = begun_items::unpacked(counted_);
  if (told_.chunk > now.chunk) now = told_;
  if (told_.chunk == now.chunk) now.items = std::max(now.items, told_.items);
  if (now.chunk > sent_) return std::nullopt;
  const bool all = now.items >= begun_items::most_items;
  return claimed_items{.chunk = now.chunk,
                       .items = all ? claimed_items::all : static_cast<std::size_t>(now.items)};
}

}  // namespace coterie::detail
