// SPDX-License-Identifier: BSL-1.0

// The main of every test: a worker must become one before Catch2 sees its arguments.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include <coterie/init.hpp>

int main(int argc, char** argv) {
  coterie::init(argc, argv);
  return Catch::Session{}.run(argc, argv);
}
