// SPDX-License-Identifier: BSL-1.0

// Storms of kills: workers that run, wait or start are killed at any moment, and each item says
// when it begins and when it has ended, in memory that outlives its worker. So it is known what a
// crash has cost: items that ran, items that had ended, and items that no worker had begun.
//
// COTERIE_STORM_SECONDS is the time of each storm (default: 1), COTERIE_STORM_SEED what it is drawn
// from, COTERIE_STORM_ONLY the beginning of a name. With COTERIE_STORM_HOLD=1 a storm in which
// nothing moves any more stays as it is, for a debugger.

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/run.hpp"
#include "support/sanitized.hpp"
#include "support/shared_memory.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// ---- what items leave behind ------------------------------------------------------------------

struct mark {
  std::atomic<std::uint8_t> begun;
  std::atomic<std::uint8_t> ended;
};
constexpr std::size_t most_items = std::size_t{1} << 22U;

/// A mark for each item, in memory that is shared by path.
class marks {
 public:
  /// New ones. Not in a file system on a disk, where the first mark on a page can take longer than
  /// an item.
  marks() : file_{::memfd_create("marks", MFD_CLOEXEC)} {
    if (file_ < 0 || ::ftruncate(file_, size) != 0) throw failed();
    map();
  }
  /// Those of another process.
  explicit marks(const std::string& path) : file_{::open(path.c_str(), O_RDWR | O_CLOEXEC)} {
    if (file_ < 0) throw failed();
    map();
  }
  marks(const marks&) = delete;
  marks& operator=(const marks&) = delete;
  ~marks() {
    ::munmap(all_, size);
    ::close(file_);
  }

  [[nodiscard]] std::string path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file_);
  }
  mark& operator[](std::size_t item) const { return all_[item]; }

 private:
  static constexpr std::size_t size = most_items * sizeof(mark);

  static std::system_error failed() { return {errno, std::generic_category(), "marks"}; }
  void map() {
    void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (at == MAP_FAILED) throw failed();
    all_ = static_cast<mark*>(at);
  }

  int file_;
  mark* all_ = nullptr;
};

std::size_t answer_to(std::size_t item) { return 3 * item + 1; }

const marks& marks_at(const std::string& path) {
  static const marks all{path};
  return all;
}

// Not left to the first item, which would run for a while before it leaves its mark.
void open_marks(const std::string& path) { marks_at(path); }

std::size_t run_item(const std::string& path, std::size_t item) {
  const marks& all = marks_at(path);
  ++all[item].begun;
  // Mostly short, some long, and the same each time.
  const std::chrono::microseconds time{item % 100 == 0 ? 3'000 : item * 7919 % 120};
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
  ++all[item].ended;
  return answer_to(item);
}

// ---- a storm ----------------------------------------------------------------------------------

enum class shape { applies, short_chunks, automatic };

struct storm {
  const char* name;
  int processes;
  bool memory;
  shape calls;
  int callers;
  std::chrono::microseconds calm;  // between two kills, on average
};

struct tally {
  std::size_t values = 0;
  std::size_t never_begun = 0;
  std::size_t running = 0;
  std::size_t finished = 0;
  std::size_t given_up = 0;  // no worker could be started
  std::size_t wrong = 0;     // other values, other errors, items that ran twice
  std::atomic<std::size_t> settled = 0;
  std::atomic<std::size_t> kills = 0;

  [[nodiscard]] std::size_t crashed() const { return never_begun + running + finished; }
};

class callers {
 public:
  callers(coterie::pool& pool, const storm& of, std::string path, const marks& all, tally& counted)
      : pool_{pool}, of_{of}, path_{std::move(path)}, marks_{all}, counted_{counted} {}

  asio::awaitable<void> call_until(std::chrono::steady_clock::time_point end) {
    while (std::chrono::steady_clock::now() < end && next_ + 1'000 < most_items) {
      if (of_.calls == shape::applies) {
        co_await apply();
      } else {
        co_await map();
      }
    }
  }

 private:
  asio::awaitable<void> apply() {
    const std::size_t item = next_++;
    std::exception_ptr problem;
    try {
      const std::size_t value = co_await pool_.apply(run_item, path_, item);
      value_came(item, value);
    } catch (...) {
      problem = std::current_exception();
    }
    if (problem) failed(item, problem);
  }

  asio::awaitable<void> map() {
    const bool automatic = of_.calls == shape::automatic;
    std::vector<std::size_t> items(automatic ? 400 : 100);
    for (std::size_t& each : items) each = next_++;
    std::exception_ptr problem;
    try {
      const coterie::map_options options{.chunksize = automatic ? 0U : 10U};
      const auto task = coterie::bind(run_item, path_);
      const auto came = co_await pool_.map_settled(task, items, options);
      for (std::size_t at = 0; at < items.size(); ++at) {
        came[at].has_value() ? value_came(items[at], *came[at])
                             : failed(items[at], came[at].error());
      }
    } catch (...) {
      problem = std::current_exception();
    }
    if (!problem) co_return;
    for (const std::size_t each : items) failed(each, problem);
  }

  void value_came(std::size_t item, std::size_t value) {
    ++counted_.settled;
    ++counted_.values;
    const bool once = marks_[item].begun == 1 && marks_[item].ended == 1;
    if (value != answer_to(item) || !once) ++counted_.wrong;
  }

  void failed(std::size_t item, const std::exception_ptr& problem) {
    ++counted_.settled;
    const mark& left = marks_[item];
    if (left.begun > 1) ++counted_.wrong;
    try {
      std::rethrow_exception(problem);
    } catch (const coterie::worker_crashed&) {
      ++(left.ended > 0   ? counted_.finished
         : left.begun > 0 ? counted_.running
                          : counted_.never_begun);
    } catch (const coterie::start_failed&) {
      ++counted_.given_up;
    } catch (const std::exception& other) {
      std::cout << "item " << item << ": " << other.what() << '\n';
      ++counted_.wrong;
    }
  }

  coterie::pool& pool_;
  const storm& of_;
  const std::string path_;
  const marks& marks_;
  tally& counted_;
  std::size_t next_ = 0;
};

// ---- kills ------------------------------------------------------------------------------------

std::string content_of(const std::string& path) {
  std::ifstream file{path};
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

/// Kills a child of this process, and no other process, even if it has ended and its number is
/// another's now.
bool kill_child(pid_t child) {
  const auto handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  if (handle < 0) return false;
  const test::process_status now = test::status_of(child);
  const bool alive = now.parent == ::getpid() && now.state != 'Z';
  const bool killed = alive && ::syscall(SYS_pidfd_send_signal, handle, SIGKILL, nullptr, 0) == 0;
  ::close(handle);
  return killed;
}

/// From a thread of its own, so that no turn of the event loop is spared.
void kill_until(const std::atomic<bool>& over, std::chrono::microseconds calm, std::uint64_t seed,
                tally& counted) {
  std::mt19937_64 lot{seed};
  while (!over) {
    const auto longest = static_cast<std::uint64_t>(2 * calm.count());
    std::this_thread::sleep_for(std::chrono::microseconds{lot() % longest});
    const auto all = test::children();
    if (!all.empty() && kill_child(all[lot() % all.size()])) ++counted.kills;
  }
}

// ---- when nothing moves -----------------------------------------------------------------------

void tell_of(const coterie::pool& pool, const tally& counted) {
  const auto now = pool.stats();
  std::cout << "NOTHING MOVES: settled=" << counted.settled << " kills=" << counted.kills
            << " ready=" << now.workers_ready << " started=" << now.workers_started
            << " crashed=" << now.workers_crashed << " starts_failed=" << now.starts_failed
            << " pending=" << now.jobs_pending << '\n';
  auto all = test::children();
  all.push_back(::getpid());
  for (const pid_t each : all) {
    const std::string folder = "/proc/" + std::to_string(each);
    std::istringstream status{content_of(folder + "/status")};
    std::string state;
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("State:") || line.starts_with("SigPnd") || line.starts_with("ShdPnd")) {
        state += line + "; ";
      }
    }
    std::cout << (each == ::getpid() ? "this process " : "worker ") << each << ": " << state
              << "wchan " << content_of(folder + "/wchan") << "; syscall "
              << content_of(folder + "/syscall") << content_of(folder + "/stack");
  }
  std::cout.flush();
}

void watch_until(const std::atomic<bool>& over, const coterie::pool& pool, const tally& counted) {
  constexpr auto patience = test::sanitized ? 100s : 10s;
  std::size_t seen = counted.settled;
  auto moved = std::chrono::steady_clock::now();
  while (!over) {
    std::this_thread::sleep_for(50ms);
    const auto now = std::chrono::steady_clock::now();
    if (const std::size_t settled = counted.settled; settled != seen) {
      seen = settled;
      moved = now;
    }
    if (now - moved < patience) continue;
    tell_of(pool, counted);
    if (std::getenv("COTERIE_STORM_HOLD") != nullptr) {
      std::this_thread::sleep_for(24h);
    }
    std::_Exit(EXIT_FAILURE);
  }
}

/// A thread that is told when it is over.
class helper {
 public:
  template <class Work>
  explicit helper(Work work) : thread_{[this, work] { work(over_); }} {}
  helper(const helper&) = delete;
  helper& operator=(const helper&) = delete;
  ~helper() { end(); }
  void end() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

// ---- the test ---------------------------------------------------------------------------------

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const given = std::getenv(variable);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

asio::awaitable<void> let_loose(const storm& of, std::chrono::seconds time, std::uint64_t seed,
                                tally& counted) {
  const marks all;
  const std::string path = all.path();
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  coterie::pool pool{executor,
                     {.processes = of.processes,
                      .initializer = coterie::bind(open_marks, path),
                      .shared_memory = of.memory}};
  callers them{pool, of, path, all, counted};
  const helper watch{[&](const auto& over) { watch_until(over, pool, counted); }};
  helper killer{[&](const auto& over) { kill_until(over, of.calm, seed, counted); }};

  const auto end = std::chrono::steady_clock::now() + time;
  asio::steady_timer ended{executor, asio::steady_timer::time_point::max()};
  int left = of.callers;
  for (int caller = 0; caller < of.callers; ++caller) {
    asio::co_spawn(executor, them.call_until(end), [&](const std::exception_ptr& problem) {
      if (problem) ++counted.wrong;
      if (--left == 0) ended.cancel();
    });
  }
  while (left > 0) {
    boost::system::error_code cancelled;
    co_await ended.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
  killer.end();
  // A pool that has given up tries again with the next call.
  co_await test::gives(pool.apply([](int item) { return item; }, 1), 1);
  co_await test::becomes([&] { return pool.stats().workers_ready == pool.size(); });
  pool.terminate();
}

constexpr const char* event_loop =
#ifdef BOOST_ASIO_HAS_IO_URING
    "io_uring";
#else
    "epoll";
#endif

void print(const storm& of, const tally& counted) {
  std::printf("%-8s %-7s %-14s %8zu %6zu %8zu %12zu %8zu %9zu %9zu %6zu\n", event_loop,
              of.memory ? "memory" : "sockets", of.name, counted.values, counted.kills.load(),
              counted.crashed(), counted.never_begun, counted.running, counted.finished,
              counted.given_up, counted.wrong);
  std::fflush(stdout);
}

}  // namespace

TEST_CASE(
    "given a storm of kills, when it is over, then each item has run once, or its error says why") {
  const std::chrono::seconds time{number_from("COTERIE_STORM_SECONDS", 1)};
  const std::uint64_t seed = number_from("COTERIE_STORM_SEED", std::random_device{}());
  const char* const only = std::getenv("COTERIE_STORM_ONLY");
  std::cout << "COTERIE_STORM_SEED=" << seed << std::endl;  // NOLINT: also if the test hangs
  std::printf("%-8s %-7s %-14s %8s %6s %8s %12s %8s %9s %9s %6s\n", "loop", "link", "calls",
              "values", "kills", "crashed", "never begun", "running", "finished", "given up",
              "wrong");

  const storm storms[] = {
      {"items", 4, true, shape::applies, 8, 2ms},
      {"idle", 4, true, shape::applies, 1, 2ms},
      {"chunks", 4, true, shape::short_chunks, 2, 2ms},
      {"automatic", 4, true, shape::automatic, 2, 2ms},
      {"starts", 8, true, shape::applies, 16, 500us},
  };
  for (const bool memory : {true, false}) {
    if (memory && test::over_sockets()) continue;
    for (storm each : storms) {
      if (only != nullptr && !std::string{each.name}.starts_with(only)) continue;
      each.memory = memory;
      // Else no worker lives through its start.
      if (test::sanitized) each.calm *= 50;
      tally counted;
      test::run([&] { return let_loose(each, time, seed, counted); }, time + test::deadline);
      print(each, counted);
      INFO(each.name << (memory ? " through memory" : " over sockets"));
      CHECK(counted.wrong == 0);
      CHECK(counted.values > 0);
      if (memory) CHECK(counted.crashed() <= counted.kills);
    }
  }
  CHECK(test::children().empty());
}
