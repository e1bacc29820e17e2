// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/home_process.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <string>
#include <vector>

namespace coterie::detail {

namespace {

// A number that no other process has which can have a copy of an object of this one: 0 in a child,
// which then takes one that its ancestors have not had. Null if the kernel cannot do that.
std::atomic<unsigned>* place_of_mark() {
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const page =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  // Emulators that agree to any advice, even to one that there is not, follow none.
  const bool agrees_to_all = ::madvise(page, size, -1) == 0;
  if (!agrees_to_all && ::madvise(page, size, MADV_WIPEONFORK) == 0)
    return new (page) std::atomic<unsigned>{0};
  ::munmap(page, size);
  return nullptr;
}

unsigned mark_at(std::atomic<unsigned>* place) {
  static std::atomic<unsigned> last = 0;
  if (place == nullptr) return 0;
  unsigned mark = place->load(std::memory_order_relaxed);
  if (mark != 0) return mark;
  const unsigned next = last.fetch_add(1, std::memory_order_relaxed) + 1;
  // Another thread may have been first: then its number counts, which is left in `mark`.
  return place->compare_exchange_strong(mark, next, std::memory_order_relaxed) ? next : mark;
}

std::atomic<unsigned>* place_here() {
  static std::atomic<unsigned>* const place = place_of_mark();
  return place;
}

}  // namespace

home_process::home_process()
    : where_{place_here()}, mark_{mark_at(place_here())}, pid_{::getpid()} {}

bool home_process::is_process(pid_t pid) noexcept { return pid == ::getpid(); }

error home_process::refusal() const {
  return error{
      errc::forked,
      "the pool belongs to process " + std::to_string(pid_) + ", and process " +
          std::to_string(::getpid()) +
          " was forked from that one: use the pool there, or make another in this process"};
}

void home_process::refuse() const { throw refusal(); }

void keep_for_ever(const void* object) noexcept {
  static auto* const kept = new (std::nothrow) std::vector<const void*>;
  if (kept == nullptr) return;
  try {
    kept->push_back(object);
  } catch (const std::bad_alloc&) {
    return;  // it stays all the same
  }
}

}  // namespace coterie::detail
