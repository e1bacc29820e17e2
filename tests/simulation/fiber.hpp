// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace simulation {

/// A function that stops in the middle and goes on later, with a stack of its own.
///
/// Its destruction wants it to be over: what its stack holds is let go of by running it to its end.
class fiber {
 public:
  /// `body` throws nothing.
  explicit fiber(std::function<void()> body);
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  ~fiber();

  /// Goes on until it pauses or is over. Not to be called from inside a fiber.
  void resume();
  /// To be called from inside: goes back to where it was resumed.
  void pause();
  [[nodiscard]] bool over() const noexcept { return over_; }

 private:
  struct stack_memory;

  static void begin(unsigned high, unsigned low);
  void change_to(ucontext_t& from, ucontext_t& to);

  std::function<void()> body_;
  std::unique_ptr<stack_memory> stack_;
  ucontext_t outside_{};
  ucontext_t inside_{};
  // The exceptions that are being handled belong to a stack; the compiler's runtime keeps them by
  // thread.
  struct {
    void* caught = nullptr;
    unsigned uncaught = 0;
  } exceptions_;
  bool over_ = false;
};

}  // namespace simulation
