// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <utility>

#include <coterie/error.hpp>

namespace coterie::detail {

/// The calls of `fork` that led to this process, since the first `home_process` was made: the child's
/// number differs from its parent's.
extern std::atomic<unsigned> forks_so_far;

/// The process in which an object was made. A process that is forked from it gets a copy of the object,
/// and with it descriptors and shared memory that are not its own. Thread safety: safe.
class home_process {
 public:
  home_process();

  /// Whether this is that process: costs one load. It takes a child for its parent if the child was made
  /// without `fork`: by `_Fork`, `vfork` or the system call itself.
  [[nodiscard]] bool is_here() const noexcept {
    return forks_ == forks_so_far.load(std::memory_order_relaxed);
  }
  /// The same, for certain, at the price of a system call.
  [[nodiscard]] bool is_surely_here() const noexcept;

  /// Throws `error` (`errc::forked`) unless `is_here`.
  void require() const {
    if (!is_here()) refuse();
  }

  void require_surely() const {
    if (!is_surely_here()) refuse();
  }
  /// What `require` throws.
  [[nodiscard]] error refusal() const;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  [[noreturn]] void refuse() const;

  unsigned forks_;
  pid_t pid_;
};

/// Keeps an object of another process for ever, in the sight of those who look for leaks.
void keep_for_ever(const void* object) noexcept;

/// Makes an object that is destroyed at home only: elsewhere its destructor would end what it shares with
/// its home, so it stays there for ever.
template <class T, class... A>
std::shared_ptr<T> make_shared_at_home(A&&... arguments) {
  return {new T(std::forward<A>(arguments)...), [home = home_process{}](T* object) {
            if (home.is_surely_here()) {
              delete object;
            } else {
              keep_for_ever(object);
            }
          }};
}

}  // namespace coterie::detail
