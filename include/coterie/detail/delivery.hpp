// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <vector>

namespace coterie::detail {

/// A completion handler together with what it is to be called with. Nothing runs until `deliver`.
class delivery {
 public:
  delivery() = default;
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;
  virtual ~delivery() = default;

  /// Calls the handler on its associated executor: at once, if that executor allows it and
  /// `may_run_inside`; otherwise later. Called once, on the object that is handed over.
  virtual void deliver(std::unique_ptr<delivery> self, bool may_run_inside) = 0;

  /// Whether it may be called by whoever has called the function that started the operation, after that
  /// function has returned: nobody there waits for it, as one that blocks might.
  [[nodiscard]] virtual bool may_follow() const noexcept = 0;
};

/// Handlers that are due. They are called when the pool is at rest, never from inside it.
using deliveries = std::vector<std::unique_ptr<delivery>>;

/// Has every handler in `due` called on its executor.
///
/// With `on_event_loop` the caller is a handler of the event loop, and those that are due may run inside
/// it. While one of them runs, it may make further ones fall due. Of these, those who may follow are
/// called by the same loop, when the one before has returned: that saves a turn of the event loop for
/// each, which costs more than all else that is done for a small result. After a few of them the
/// event loop gets its turn.
///
/// What a handler throws comes out of here; those behind it are then left to the event loop.
/// Thread safety: any thread.
void deliver_all(deliveries due, bool on_event_loop);

}  // namespace coterie::detail
