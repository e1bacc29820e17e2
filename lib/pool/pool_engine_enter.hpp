// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "pool/pool_engine.hpp"

namespace coterie::detail {

template <class Work>
bool pool_engine::enter(from whence, Work&& work) {
  if (!home.is_here()) return true;
  const auto self = shared_from_this();
  deliveries due;
  const auto guarded = [this](auto& what) {
    try {
      what();
    } catch (...) {
      // Out of memory, most likely. Half a step may have been made, so nothing can be trusted.
      breakdown(std::current_exception());
    }
  };
  const bool ran = sequencer_.run(
      [this, guarded, work = std::forward<Work>(work)]() mutable {
        if (!abandoned_) guarded(work);
      },
      [&] {
        auto come_to_rest = [this] { settle(); };
        guarded(come_to_rest);
        if (due.empty()) return due.swap(jobs().due);
        for (auto& each : std::exchange(jobs().due, {})) due.push_back(std::move(each));
      });
  if (!ran) return false;
  // From here on nothing of the pool is touched: a handler may do with it what it likes, and may
  // throw.
  if (whence == from::event_loop) {
    deliver_all(std::move(due), true);
    return true;
  }
  try {
    deliver_all(std::move(due), false);
  } catch (...) {
    // A handler's executor refused it. That is no matter of this caller, whose call may be another.
    boost::asio::post(self->event_loop(),
                      [problem = std::current_exception()] { std::rethrow_exception(problem); });
  }
  return true;
}

}  // namespace coterie::detail
