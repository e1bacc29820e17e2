// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/delivery.hpp>

#include <cstddef>
#include <utility>

namespace coterie::detail {

namespace {

void deliver(std::unique_ptr<delivery> each, bool may_run_inside) {
  delivery& it = *each;
  it.deliver(std::move(each), may_run_inside);
}

class delivery_loop {
 public:
  explicit delivery_loop(deliveries due) : due_{std::move(due)} {}
  delivery_loop(const delivery_loop&) = delete;
  delivery_loop& operator=(const delivery_loop&) = delete;
  ~delivery_loop() { innermost_ = outer_; }

  void run() {
    try {
      while (next_ < due_.size()) deliver(std::move(due_[next_++]), true);
    } catch (...) {
      while (next_ < due_.size()) deliver(std::move(due_[next_++]), false);
      throw;
    }
  }

  /// The loop whose handler this thread is running, if any.
  static delivery_loop* innermost() { return innermost_; }

  bool take(std::unique_ptr<delivery>& follower) {
    if (followers_left_ == 0 || !follower->may_follow()) return false;
    --followers_left_;
    due_.push_back(std::move(follower));
    return true;
  }

 private:
  static thread_local delivery_loop* innermost_;

  deliveries due_;
  std::size_t next_ = 0;
  std::size_t followers_left_ = 64;
  delivery_loop* const outer_ = std::exchange(innermost_, this);
};

thread_local delivery_loop* delivery_loop::innermost_ = nullptr;

}  // namespace

void deliver_all(deliveries due, bool on_event_loop) {
  if (due.empty()) return;
  if (on_event_loop) return delivery_loop{std::move(due)}.run();
  delivery_loop* const loop = delivery_loop::innermost();
  for (auto& each : due) {
    if (loop == nullptr || !loop->take(each)) deliver(std::move(each), false);
  }
}

}  // namespace coterie::detail
