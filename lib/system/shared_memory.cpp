// SPDX-License-Identifier: BSL-1.0
#include "system/shared_memory.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/system/system_error.hpp>

namespace coterie::detail {

namespace {

[[noreturn]] void fail(const char* step) {
  throw boost::system::system_error{errno, boost::system::system_category(), step};
}

unique_descriptor memory_file() {
  constexpr const char* name = "coterie";  // to be seen in /proc, nowhere else
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  // Since Linux 6.3; older C libraries have no name for it. A system may demand it of everybody.
  constexpr unsigned never_a_program = 8;  // MFD_NOEXEC_SEAL
  unique_descriptor file{::memfd_create(name, flags | never_a_program)};
  if (!file && errno == EINVAL) file = unique_descriptor{::memfd_create(name, flags)};
  if (!file) fail("cannot make shared memory");
  return file;
}

// What this process writes to. A process that is forked from it gets zeros of its own in these
// places: it cannot disturb the two that share the memory, wherever it was when it came to be.
class written_memory {
 public:
  static written_memory& instance() {
    static auto& the_memory = *new written_memory;  // lives for ever: threads may outlive statics
    return the_memory;
  }

  void add(std::span<std::byte> bytes) {
    const std::scoped_lock lock{mutex_};
    mappings_.push_back(bytes);
  }
  void remove(std::span<std::byte> bytes) noexcept {
    const std::scoped_lock lock{mutex_};
    std::erase_if(mappings_, [&](const auto& each) { return each.data() == bytes.data(); });
  }

 private:
  written_memory() {
    ::pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                     [] { instance().replace(); });
  }

  // In the child, where this is the only thread, and holds the lock.
  void replace() noexcept {
    for (const auto& each : mappings_) {
      const void* const own =
          ::mmap(each.data(), each.size(), PROT_READ | PROT_WRITE,
                 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      // Rather a child that is killed when it comes to it than one that writes there.
      if (own == MAP_FAILED) ::munmap(each.data(), each.size());
    }
    mutex_.unlock();
  }

  std::mutex mutex_;
  std::vector<std::span<std::byte>> mappings_;
};

void* map(int file, std::size_t size, bool to_write) {
  const int protection = to_write ? PROT_READ | PROT_WRITE : PROT_READ;
  void* const begin = ::mmap(nullptr, size, protection, MAP_SHARED, file, 0);
  if (begin == MAP_FAILED || !to_write) return begin;
  try {
    written_memory::instance().add({static_cast<std::byte*>(begin), size});
  } catch (const std::bad_alloc&) {
    ::munmap(begin, size);
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return begin;
}

void seal(int file, memory_writer writer) {
  constexpr unsigned size_stays = F_SEAL_SHRINK | F_SEAL_GROW;
  // F_SEAL_FUTURE_WRITE, since Linux 5.1: no more mappings that can write, beside those there are.
  constexpr unsigned no_other_writers = 16;
  if (writer == memory_writer::creator &&
      ::fcntl(file, F_ADD_SEALS, size_stays | no_other_writers | F_SEAL_SEAL) == 0) {
    return;
  }
  if (::fcntl(file, F_ADD_SEALS, size_stays | F_SEAL_SEAL) != 0) fail("cannot seal shared memory");
}

// Pages of such a file are found at the first touch, and a process that touches one which cannot be
// had is killed by SIGBUS. Asking for them all now turns that into an error that can be told. For
// memory that is then used it costs nothing: for 64 MiB, reserving took 16.5 ms and touching all
// pages afterwards 18 ms, against 38.5 ms of touching them without (Linux 6.18, pages of 4 KiB).
// What is reserved and never used is paid for, a quarter of a millisecond for each MiB: so ask for
// little.
void reserve(int file, std::size_t size) {
  // A signal undoes what one call has done so far. Small steps come to an end under many signals,
  // too.
  constexpr std::size_t step = std::size_t{1} << 20U;
  for (std::size_t at = 0; at < size;) {
    const std::size_t count = std::min(step, size - at);
    if (::fallocate(file, 0, static_cast<off_t>(at), static_cast<off_t>(count)) == 0) {
      at += count;
    } else if (errno != EINTR) {
      fail("cannot reserve shared memory");
    }
  }
}

// Whether reading and writing the first `size` bytes is safe, whatever other processes with the
// file do.
void check(int file, std::size_t size) {
  const int seals = ::fcntl(file, F_GET_SEALS);
  if (seals < 0) throw bad_memory{"what was sent as shared memory is none"};
  // A file that is made shorter while it is mapped kills a process that touches the rest, by
  // SIGBUS.
  if ((seals & F_SEAL_SHRINK) == 0) throw bad_memory{"shared memory that can shrink"};
  struct stat about{};
  struct statfs where{};
  if (::fstat(file, &about) != 0 || !S_ISREG(about.st_mode) || ::fstatfs(file, &where) != 0 ||
      // Of huge pages there may be none left at the first touch.
      where.f_type != TMPFS_MAGIC) {
    throw bad_memory{"what was sent as shared memory is something else"};
  }
  if (size == 0 || std::cmp_less(about.st_size, size)) {
    throw bad_memory{"shared memory that is not as long as it was said to be"};
  }
}

}  // namespace

shared_memory::shared_memory(unique_descriptor descriptor, std::span<std::byte> bytes) noexcept
    : descriptor_{std::move(descriptor)}, bytes_{bytes} {}

shared_memory::shared_memory(shared_memory&& other) noexcept
    : descriptor_{std::move(other.descriptor_)}, bytes_{std::exchange(other.bytes_, {})} {}

shared_memory& shared_memory::operator=(shared_memory&& other) noexcept {
  if (this != &other) {
    unmap();
    descriptor_ = std::move(other.descriptor_);
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

void shared_memory::unmap() noexcept {
  if (bytes_.empty()) return;
  written_memory::instance().remove(bytes_);
  ::munmap(bytes_.data(), bytes_.size());
  bytes_ = {};
}

shared_memory shared_memory::create(std::size_t size, memory_writer writer) {
  const bool writes = writer != memory_writer::other;
  // The limit for files (`ulimit -f`) holds for this one too, and going beyond it kills, by
  // SIGXFSZ.
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && size > limit.rlim_cur) {
    errno = EFBIG;
    fail("cannot give shared memory its size");
  }
  unique_descriptor file = memory_file();
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
    fail("cannot give shared memory its size");
  }
  // Mapped before it is reserved: a size for which there are no addresses takes no memory first.
  void* const begin = map(file.get(), size, writes);
  if (begin == MAP_FAILED) fail("cannot map shared memory");
  shared_memory made{std::move(file), {static_cast<std::byte*>(begin), size}};
  if (writes) reserve(made.descriptor(), size);
  seal(made.descriptor(), writer);
  return made;
}

shared_memory shared_memory::open(unique_descriptor descriptor, std::size_t size,
                                  memory_writer writer) {
  const bool writes = writer != memory_writer::creator;
  check(descriptor.get(), size);
  void* const begin = map(descriptor.get(), size, writes);
  if (begin == MAP_FAILED) {
    // A descriptor that was opened for less, or a seal against writing.
    if (errno == EACCES || errno == EPERM) {
      throw bad_memory{writes ? "shared memory that cannot be written"
                              : "shared memory that cannot be read"};
    }
    fail("cannot map shared memory");
  }
  shared_memory opened{std::move(descriptor), {static_cast<std::byte*>(begin), size}};
  if (writer == memory_writer::other) reserve(opened.descriptor(), size);
  return opened;
}

}  // namespace coterie::detail
