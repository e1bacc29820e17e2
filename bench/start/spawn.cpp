// SPDX-License-Identifier: BSL-1.0

// The limit of starting a worker: `posix_spawn` of coterie's own contender, until its first byte is
// here, and until it has been waited for.

#include <spawn.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "../support/contender.hpp"

namespace {

struct spawned {
  double first_byte;
  double end;
};

spawned spawn(std::string program) {
  std::string argument = "first-byte";
  char* arguments[] = {program.data(), argument.data(), nullptr};
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) bench::fail("no pipe");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);

  const bench::stopwatch watch;
  pid_t child = 0;
  if (::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ) != 0) {
    bench::fail("cannot start " + program);
  }
  char byte = 0;
  if (::read(pipe[0], &byte, 1) != 1 || byte != 'x') bench::fail("no byte came");
  const double first_byte = watch.seconds();
  ::waitpid(child, nullptr, 0);
  const double end = watch.seconds();

  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[0]);
  ::close(pipe[1]);
  return {first_byte, end};
}

}  // namespace

int main(int argc, char** argv) {
  std::string program;
  std::int64_t pools = 50;
  bench::parse(
      argc, argv, "posix_spawn of a program, to its first byte.",
      {{"program", &program, "The program: coterie's own"}, {"pools", &pools, "How often"}});
  std::vector<double> first;
  std::vector<double> whole;
  spawn(program);
  for (std::int64_t i = 0; i < pools; ++i) {
    const spawned times = spawn(program);
    first.push_back(times.first_byte);
    whole.push_back(times.end);
  }
  bench::print({{"first_result_seconds", bench::quantile(first, 0.5)},
                {"whole_seconds", bench::quantile(whole, 0.5)}});
}
