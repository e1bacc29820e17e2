// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace coterie::detail {

/// How this program is started again: the file that is run, and all its arguments from argv[0] on.
struct own_program {
  std::string path;
  std::vector<std::string> arguments;
};

/// This program with the arguments that `init` was given. As a rule the file is `/proc/self/exe`,
/// so that a program which was replaced or deleted on disk still starts workers of its own build.
/// Two more cases:
///
/// - Started through the dynamic loader (`ld.so --library-path there ./program`), `/proc/self/exe`
///   is the loader. It is given the arguments that it was given then.
/// - Under valgrind it is valgrind's tool. The file that valgrind names instead is run.
own_program program_to_start(const std::vector<std::string>& given);

}  // namespace coterie::detail
