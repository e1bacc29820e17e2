// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <utility>

#include <coterie/error.hpp>

namespace coterie::detail {

/// The process in which an object was made. A process that is forked from it, with `fork`'s
/// handlers or without, gets a copy of the object, and with it descriptors and shared memory that
/// are not its own. Thread safety: safe.
class home_process {
 public:
  home_process();

  /// Whether this is that process. Costs two loads; a system call where the kernel wipes no memory
  /// when a process forks (before Linux 4.14, and in some sandboxes).
  [[nodiscard]] bool is_here() const noexcept {
    return where_ != nullptr ? where_->load(std::memory_order_relaxed) == mark_ : is_process(pid_);
  }

  /// Throws `error` (`errc::forked`) unless `is_here`.
  void require() const {
    if (!is_here()) refuse();
  }

  /// What `require` throws.
  [[nodiscard]] error refusal() const;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  [[nodiscard]] static bool is_process(pid_t pid) noexcept;
  [[noreturn]] void refuse() const;

  const std::atomic<unsigned>* where_;  // what stands there is wiped in a child
  unsigned mark_;
  pid_t pid_;
};

/// Keeps an object of another process for ever, in the sight of leak checkers.
void keep_for_ever(const void* object) noexcept;

/// Makes an object that is destroyed at home only: elsewhere its destructor would end what it
/// shares with its home, so it stays there for ever.
template <class T, class... A>
std::shared_ptr<T> make_shared_at_home(A&&... arguments) {
  return {new T(std::forward<A>(arguments)...), [home = home_process{}](T* object) {
            if (home.is_here()) {
              delete object;
            } else {
              keep_for_ever(object);
            }
          }};
}

}  // namespace coterie::detail
