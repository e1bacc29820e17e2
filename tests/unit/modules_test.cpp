// SPDX-License-Identifier: BSL-1.0
#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/function_reference.hpp>
#include <coterie/error.hpp>

#include "program/modules.hpp"

namespace {

using namespace coterie::detail;

int twice(int number) { return 2 * number; }

template <class T>
T thrice(T number) {
  return 3 * number;
}

template <class Action>
bool unknown(Action action) {
  try {
    action();
  } catch (const coterie::error& problem) {
    return problem.code() == coterie::errc::unknown_function;
  }
  return false;
}

const void* address_of(const void* what) { return what; }
int data = 0;

}  // namespace

TEST_CASE("given functions of this program, when they are located, then they are found again") {
  const function_reference plain = locate(&twice);
  CHECK(plain.module == 0);
  CHECK(find_function(plain) == reinterpret_cast<void*>(&twice));
  CHECK(reinterpret_cast<int (*)(int)>(find_function(plain))(21) == 42);

  const function_reference made = locate(&thrice<double>);
  CHECK(made.offset != locate(&thrice<long>).offset);
  CHECK(reinterpret_cast<double (*)(double)>(find_function(made))(1.5) == 4.5);

  int (*const lambda)(int) = [](int number) { return number + 1; };
  CHECK(reinterpret_cast<int (*)(int)>(find_function(locate(lambda)))(1) == 2);
}

TEST_CASE(
    "given a function of a shared library, when it is located, then its module is not this one") {
  void* const symbol = ::dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
  REQUIRE(symbol != nullptr);
  const function_reference reference = locate_function(symbol);
  CHECK(reference.module != 0);
  CHECK(find_function(reference) == symbol);
}

TEST_CASE("given what is no function, when it is located, then it is refused") {
  int local = 0;
  const auto allocated = std::make_unique<int>();
  CHECK(unknown([] { locate_function(nullptr); }));
  CHECK(unknown([] { locate_function(address_of(&data)); }));
  CHECK(unknown([&] { locate_function(address_of(&local)); }));
  CHECK(unknown([&] { locate_function(allocated.get()); }));
  CHECK(unknown([] { locate_function(reinterpret_cast<const void*>(~std::uintptr_t{0})); }));
}

TEST_CASE("given a wrong reference, when it is looked for, then it is refused") {
  const function_reference right = locate(&twice);
  const auto to_data = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&data) -
                                                  reinterpret_cast<std::uintptr_t>(&twice));
  for (const std::uint64_t offset :
       {std::uint64_t{0}, right.offset + to_data, right.offset + (std::uint64_t{1} << 40U),
        ~std::uint64_t{0}, std::uint64_t{1} << 63U}) {
    CHECK(unknown([&] { find_function({.module = 0, .offset = offset}); }));
  }
  CHECK(unknown([&] { find_function({.module = 12345, .offset = right.offset}); }));
}

TEST_CASE("given this build, when its identity is asked for, then it is there and stays") {
  CHECK_FALSE(executable_identity().empty());
  CHECK(&executable_identity() == &executable_identity());
}

TEST_CASE("given several threads, when they look for functions, then each finds its own") {
  std::vector<std::jthread> all;
  for (int thread = 0; thread < 4; ++thread) {
    all.emplace_back([] {
      for (int round = 0; round < 200; ++round) {
        if (find_function(locate(&twice)) != reinterpret_cast<void*>(&twice)) std::abort();
        static_cast<void>(unknown([] { find_function({.module = 12345, .offset = 1}); }));
      }
    });
  }
}
