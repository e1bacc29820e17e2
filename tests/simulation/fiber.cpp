// SPDX-License-Identifier: BSL-1.0
#include "fiber.hpp"

#include <cxxabi.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace simulation {

namespace {

constexpr std::size_t stack_size = std::size_t{256} << 10U;

struct freed {
  void operator()(void* memory) const noexcept { std::free(memory); }
};
using stack = std::unique_ptr<void, freed>;

// Stacks are used again: new ones cost page faults. They are no memory that a world could leave
// behind.
std::array<stack, 64> unused_stacks;
std::size_t unused_count = 0;

}  // namespace

struct fiber::stack_memory {
  stack_memory()
      : memory{unused_count > 0 ? std::move(unused_stacks[--unused_count])
                                : stack{std::malloc(stack_size)}} {}
  ~stack_memory() {
    if (unused_count < unused_stacks.size()) unused_stacks[unused_count++] = std::move(memory);
  }
  stack_memory(const stack_memory&) = delete;
  stack_memory& operator=(const stack_memory&) = delete;

  stack memory;
};

fiber::fiber(std::function<void()> body)
    : body_{std::move(body)}, stack_{std::make_unique<stack_memory>()} {
  ::getcontext(&inside_);
  inside_.uc_stack.ss_sp = stack_->memory.get();
  inside_.uc_stack.ss_size = stack_size;
  inside_.uc_link = &outside_;
  // `makecontext` passes ints.
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  ::makecontext(&inside_, reinterpret_cast<void (*)()>(&fiber::begin), 2,
                static_cast<unsigned>(self >> 32U), static_cast<unsigned>(self));
}

fiber::~fiber() {
  if (!over_) std::abort();
}

void fiber::begin(unsigned high, unsigned low) {
  const auto self = std::uintptr_t{high} << 32U | low;
  auto& here = *reinterpret_cast<fiber*>(self);
  here.body_();
  here.over_ = true;
  here.change_to(here.inside_, here.outside_);
}

void fiber::resume() { change_to(outside_, inside_); }

void fiber::pause() { change_to(inside_, outside_); }

void fiber::change_to(ucontext_t& from, ucontext_t& to) {
  auto* const current = abi::__cxa_get_globals();
  auto kept = exceptions_;
  std::memcpy(&exceptions_.caught, current, sizeof(void*));
  std::memcpy(&exceptions_.uncaught, reinterpret_cast<std::byte*>(current) + sizeof(void*),
              sizeof(unsigned));
  std::memcpy(current, &kept.caught, sizeof(void*));
  std::memcpy(reinterpret_cast<std::byte*>(current) + sizeof(void*), &kept.uncaught,
              sizeof(unsigned));
  ::swapcontext(&from, &to);
}

}  // namespace simulation
