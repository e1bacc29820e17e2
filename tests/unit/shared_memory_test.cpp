// SPDX-License-Identifier: BSL-1.0
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include <boost/system/system_error.hpp>
#include <catch2/catch.hpp>

#include "system/shared_memory.hpp"
#include "system/unique_descriptor.hpp"

namespace {

using namespace coterie::detail;

constexpr std::size_t some_size = 10'000;
constexpr int right_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

/// As another process would send it.
unique_descriptor copy_of(int descriptor) {
  unique_descriptor copy{::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)};
  REQUIRE(copy);
  return copy;
}

unique_descriptor memory_file(std::size_t size, int seals, unsigned more_flags = 0) {
  unique_descriptor file{::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | more_flags)};
  if (!file) return file;
  REQUIRE(::ftruncate(file.get(), static_cast<off_t>(size)) == 0);
  REQUIRE(::fcntl(file.get(), F_ADD_SEALS, seals) == 0);
  return file;
}

/// The lowest descriptor that is free: the same again if nothing has leaked.
int next_descriptor() {
  const unique_descriptor next{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  REQUIRE(next);
  return next.get();
}

/// The error of a `create` that fails, and what it says it was doing.
std::pair<int, std::string> failure_of_create(std::size_t size) {
  try {
    const auto made = shared_memory::create(size);
  } catch (const boost::system::system_error& error) {
    return {error.code().value(), error.what()};
  }
  return {0, "no error"};
}

/// In this process, from now on: a system call fails with `error` if a bit of `bits` is set in its
/// second argument, or, without bits, always.
bool let_fail(long call, std::uint32_t bits, int error) {
  const auto number = static_cast<std::uint32_t>(call);
  const auto refuse = SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
  const std::uint32_t second_argument = offsetof(seccomp_data, args) + sizeof(std::uint64_t);
  std::array program{
      sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 3, number},
      sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, second_argument},
      sock_filter{BPF_JMP | BPF_JSET | BPF_K, 0, static_cast<std::uint8_t>(bits != 0 ? 1 : 0),
                  bits},
      sock_filter{BPF_RET | BPF_K, 0, 0, refuse},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// Whether `test` holds in a process of its own.
template <class Test>
bool in_another_process(Test test) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(test() ? 0 : 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status == 0;
}

}  // namespace

TEST_CASE("given new shared memory, when it is looked at, then it is zeros, and there for sure") {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{4096}, some_size, (std::size_t{2} << 20U) + 1}) {
    const auto made = shared_memory::create(size);
    REQUIRE(made.bytes().size() == size);
    CHECK(reinterpret_cast<std::uintptr_t>(made.bytes().data()) % 4096 == 0);
    CHECK(std::ranges::all_of(made.bytes(), [](std::byte each) { return each == std::byte{}; }));
    struct stat about{};
    REQUIRE(::fstat(made.descriptor(), &about) == 0);
    CHECK(about.st_size == static_cast<off_t>(size));
    CHECK(about.st_blocks * 512 >= about.st_size);
    CHECK((::fcntl(made.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("given shared memory, when another size is wanted for it, then the kernel refuses") {
  const auto made = shared_memory::create(some_size);
  CHECK(::ftruncate(made.descriptor(), 0) != 0);
  CHECK(::ftruncate(made.descriptor(), 100'000) != 0);
  CHECK(::fcntl(made.descriptor(), F_ADD_SEALS, F_SEAL_WRITE) != 0);
  CHECK((::fcntl(made.descriptor(), F_GET_SEALS) & right_seals) == right_seals);
}

TEST_CASE("given shared memory, when it is opened elsewhere, then both see what each writes") {
  const auto made = shared_memory::create(some_size);
  const auto opened = shared_memory::open(copy_of(made.descriptor()), some_size);
  REQUIRE(opened.bytes().size() == some_size);
  REQUIRE(opened.bytes().data() != made.bytes().data());
  made.bytes()[9999] = std::byte{1};
  opened.bytes()[0] = std::byte{2};
  CHECK(opened.bytes()[9999] == std::byte{1});
  CHECK(made.bytes()[0] == std::byte{2});
  const auto part = shared_memory::open(copy_of(made.descriptor()), 1);
  CHECK(part.bytes().size() == 1);
  CHECK(part.bytes()[0] == std::byte{2});
}

TEST_CASE(
    "given a process that writes to shared memory, when it has ended, then the bytes are here") {
  const auto made = shared_memory::create(some_size);
  CHECK(in_another_process([&] {
    const auto opened = shared_memory::open(copy_of(made.descriptor()), some_size);
    std::ranges::fill(opened.bytes(), std::byte{7});
    return true;
  }));
  CHECK(std::ranges::all_of(made.bytes(), [](std::byte each) { return each == std::byte{7}; }));
}

TEST_CASE("given shared memory, when it moves, then the bytes stay where they are") {
  const int next = next_descriptor();
  {
    shared_memory none;
    CHECK(none.bytes().empty());
    CHECK(none.descriptor() == -1);
    auto made = shared_memory::create(some_size);
    const auto bytes = made.bytes();
    bytes[5] = std::byte{3};
    shared_memory moved{std::move(made)};
    CHECK(moved.bytes().data() == bytes.data());
    // What was moved from is looked at on purpose.
    CHECK(made.bytes().empty());  // NOLINT(bugprone-use-after-move)
    CHECK(made.descriptor() == -1);
    none = std::move(moved);
    CHECK(moved.bytes().empty());  // NOLINT(bugprone-use-after-move)
    none = shared_memory{};
    CHECK(none.bytes().empty());
    none = shared_memory::create(some_size);
    auto& same = none;
    none = std::move(same);
    CHECK(none.bytes().size() == some_size);
  }
  CHECK(next_descriptor() == next);
}

TEST_CASE("given shared memory, when its descriptor is closed, then the bytes stay") {
  auto made = shared_memory::create(some_size);
  made.close_descriptor();
  CHECK(made.descriptor() == -1);
  made.bytes()[9999] = std::byte{1};
  CHECK(made.bytes()[9999] == std::byte{1});
}

TEST_CASE("given what is no such memory, when it is opened, then it is not believed") {
  const int next = next_descriptor();
  const auto open = [](unique_descriptor descriptor, std::size_t size = some_size) {
    return shared_memory::open(std::move(descriptor), size);
  };
  SECTION("nothing") { CHECK_THROWS_AS(open(unique_descriptor{}), bad_memory); }
  SECTION("a device") {
    CHECK_THROWS_AS(open(unique_descriptor{::open("/dev/zero", O_RDWR)}), bad_memory);
  }
  SECTION("a pipe") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const unique_descriptor other{ends[1]};
    CHECK_THROWS_AS(open(unique_descriptor{ends[0]}), bad_memory);
  }
  SECTION("a file on a disk, or wherever temporary files are") {
    for (const char* folder : {"/tmp", "/dev/shm"}) {
      unique_descriptor file{::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
      if (!file) continue;
      REQUIRE(::ftruncate(file.get(), some_size) == 0);
      CHECK_THROWS_AS(open(std::move(file)), bad_memory);
    }
  }
  SECTION("memory that can shrink") {
    CHECK_THROWS_AS(open(memory_file(some_size, 0)), bad_memory);
    CHECK_THROWS_AS(open(memory_file(some_size, F_SEAL_GROW | F_SEAL_SEAL)), bad_memory);
    CHECK(open(memory_file(some_size, F_SEAL_SHRINK)).bytes().size() == some_size);
  }
  SECTION("memory that was never to be sealed") {
    unique_descriptor file{::memfd_create("test", MFD_CLOEXEC)};
    REQUIRE(::ftruncate(file.get(), some_size) == 0);
    CHECK_THROWS_AS(open(std::move(file)), bad_memory);
  }
  SECTION("memory that cannot be written") {
    CHECK_THROWS_AS(open(memory_file(some_size, right_seals | F_SEAL_WRITE)), bad_memory);
    const auto made = shared_memory::create(some_size);
    const auto path = "/proc/self/fd/" + std::to_string(made.descriptor());
    CHECK_THROWS_AS(open(unique_descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}),
                    bad_memory);
  }
  SECTION("memory of huge pages") {
    constexpr std::size_t huge = std::size_t{2} << 20U;
    unique_descriptor file = memory_file(huge, right_seals, MFD_HUGETLB);
    if (file) CHECK_THROWS_AS(open(std::move(file), huge), bad_memory);
  }
  SECTION("memory that is shorter than was said") {
    const auto made = shared_memory::create(some_size);
    for (const std::size_t size :
         {some_size + 1, std::size_t{1} << 63U, std::numeric_limits<std::size_t>::max()}) {
      CHECK_THROWS_AS(open(copy_of(made.descriptor()), size), bad_memory);
    }
    CHECK_THROWS_AS(open(copy_of(made.descriptor()), 0), bad_memory);
    CHECK_THROWS_AS(open(memory_file(0, right_seals), 1), bad_memory);
  }
  CHECK(next_descriptor() == next);
}

TEST_CASE("given memory larger than all addresses, when it is opened, then that is an error here") {
  constexpr std::size_t size = std::size_t{1} << 60U;
  CHECK_THROWS_AS(shared_memory::open(memory_file(size, F_SEAL_SHRINK), size),
                  boost::system::system_error);
}

TEST_CASE("given a size that cannot be had, when memory is made, then the error tells the step") {
  const int next = next_descriptor();
  auto [error, what] = failure_of_create(0);
  CHECK(error == EINVAL);
  CHECK(what.starts_with("cannot map shared memory"));
  std::tie(error, what) = failure_of_create(std::size_t{1} << 60U);
  CHECK(error == ENOMEM);
  CHECK(what.starts_with("cannot map shared memory"));
  std::tie(error, what) = failure_of_create(std::numeric_limits<std::size_t>::max());
  CHECK(error == EINVAL);
  CHECK(what.starts_with("cannot give shared memory its size"));
  CHECK(next_descriptor() == next);
}

TEST_CASE("given no free descriptor, when memory is made, then the error tells so") {
  CHECK(in_another_process([] {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
    const auto [error, what] = failure_of_create(some_size);
    return error == EMFILE && what.starts_with("cannot make shared memory");
  }));
}

TEST_CASE(
    "given a limit for files, when memory beyond it is made, then that is an error, no signal") {
  CHECK(in_another_process([] {
    const rlimit limit{.rlim_cur = some_size - 1, .rlim_max = RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    const auto [error, what] = failure_of_create(some_size);
    return error == EFBIG && shared_memory::create(some_size - 1).bytes().size() == some_size - 1;
  }));
}

TEST_CASE("given no memory to reserve, when memory is made, then the error tells so") {
  const int next = next_descriptor();
  CHECK(in_another_process([&] {
    if (!let_fail(SYS_fallocate, 0, ENOSPC)) return false;
    const auto [error, what] = failure_of_create(some_size);
    return error == ENOSPC && what.starts_with("cannot reserve shared memory") &&
           next_descriptor() == next;
  }));
}

TEST_CASE("given a kernel that does not seal, when memory is made, then the error tells so") {
  constexpr unsigned linux_commands = 1024;  // only the one for seals is used here
  static_assert((F_ADD_SEALS & linux_commands) != 0);
  CHECK(in_another_process([&] {
    if (!let_fail(SYS_fcntl, linux_commands, EPERM)) return false;
    const auto [error, what] = failure_of_create(some_size);
    return error == EPERM && what.starts_with("cannot seal shared memory");
  }));
}

TEST_CASE("given a kernel that does not know of memory without programs, then it is made anyway") {
  constexpr unsigned never_a_program = 8;
  CHECK(in_another_process([] {
    if (!let_fail(SYS_memfd_create, never_a_program, EINVAL)) return false;
    return shared_memory::create(some_size).bytes().size() == some_size;
  }));
  CHECK(in_another_process([] {
    if (!let_fail(SYS_memfd_create, 0, ENOSYS)) return false;
    const auto [error, what] = failure_of_create(some_size);
    return error == ENOSYS && what.starts_with("cannot make shared memory");
  }));
}

// ---- forks ------------------------------------------------------------------------------------

TEST_CASE(
    "given memory that is written, when a forked child writes there, then nothing is shared") {
  const auto memory = shared_memory::create(some_size);
  memory.bytes()[0] = std::byte{1};
  CHECK(in_another_process([&] {
    const bool zeros = memory.bytes()[0] == std::byte{0};
    for (std::byte& each : memory.bytes()) each = std::byte{2};
    return zeros;
  }));
  CHECK(memory.bytes()[0] == std::byte{1});
  CHECK(memory.bytes()[some_size - 1] == std::byte{0});
}

TEST_CASE("given memory that is only read, when a forked child reads it, then it finds the bytes") {
  auto made = shared_memory::create(some_size, memory_writer::creator);
  made.bytes()[0] = std::byte{1};
  const auto opened =
      shared_memory::open(copy_of(made.descriptor()), some_size, memory_writer::creator);
  CHECK(in_another_process([&] { return opened.bytes()[0] == std::byte{1}; }));
}
