// SPDX-License-Identifier: BSL-1.0

// What a program asks of a pool, checked, and turned into what its parts want to know.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <coterie/cpus.hpp>
#include <coterie/error.hpp>
#include <coterie/this_worker.hpp>

#include "channel/busy_poll.hpp"
#include "channel/ring_pair.hpp"
#include "messages/setup_frame.hpp"
#include "pool/pool_engine.hpp"
#include "processes/worker_environment.hpp"
#include "program/program.hpp"
#include "program/rights.hpp"

namespace coterie::detail {

namespace {

void check_rights() {
  if (start_rights() != worker_rights::undecided) return;
  throw error{
      errc::privileged,
      "coterie: this process has the rights of one user or group and acts as another (it is a set-user-ID "
      "or set-group-ID program), or its file has capabilities; its workers, which are started anew, would "
      "have rights that it has not chosen: give up one of the two for good (setresuid, setresgid) before "
      "the pool is made, or run a file without capabilities"};
}

int checked_processes(const pool_options& options) {
  if (options.processes < 0 || options.processes > pool_options::max_processes) {
    throw std::invalid_argument{"coterie: a pool cannot have " + std::to_string(options.processes) +
                                " workers: pool_options::processes must be 1 to " +
                                std::to_string(pool_options::max_processes) +
                                ", or 0 for the CPUs that this process may use"};
  }
  return options.processes == 0 ? available_cpus() : options.processes;
}

void check_limits(const pool_options& options) {
  if (options.start_timeout < std::chrono::nanoseconds::zero()) {
    throw std::invalid_argument{
        "coterie: pool_options::start_timeout is negative; zero means that there is no limit"};
  }
  if (options.restart_limit.starts < 0 ||
      options.restart_limit.window <= std::chrono::nanoseconds::zero()) {
    throw std::invalid_argument{
        "coterie: pool_options::restart_limit needs a number of starts that is 0 (automatic) or more, and a "
        "window that is longer than zero"};
  }
  if (options.busy_poll < std::chrono::nanoseconds::zero() ||
      options.busy_poll > busy_poll::longest) {
    throw std::invalid_argument{"coterie: pool_options::busy_poll must be 0 (never) to one second"};
  }
}

restart_limits restarts_for(int processes, const restart_intensity& limit) {
  constexpr int starts_each = 16;
  const int starts = limit.starts > 0 ? limit.starts : starts_each * processes;
  return {.starts = static_cast<std::size_t>(starts), .window = limit.window};
}

bool memory_allowed_by_environment() {
  const char* const value = std::getenv("COTERIE_SHARED_MEMORY");
  return value == nullptr || std::string_view{value} != "0";
}

ring_settings rings_for(int processes, const pool_options& options) {
  if (!options.shared_memory || !memory_allowed_by_environment()) return {};
  // Polling must not take a CPU that a worker or the event loop needs.
  const bool idle_cpus = available_cpus() > processes;
  return {.capacity = ring_pair::capacity_for(processes),
          .busy_poll = idle_cpus ? options.busy_poll : std::chrono::nanoseconds::zero(),
          .links = processes};
}

void check_initialized() {
  if (const auto worker = worker_environment::find()) {
    std::fprintf(
        stderr,
        "coterie: this process was started as worker %d, but its main makes a pool without "
        "having called coterie::init(argc, argv): call it first in main, before anything "
        "else\n",
        worker->rank);
    ::_exit(exit_without_init);
  }
  if (this_worker::rank() >= 0) {
    throw error{
        errc::not_initialized,
        "coterie: a task made a pool, and workers have none of their own: make pools in the "
        "program, and submit there what this task wants to have done"};
  }
  if (program::instance().called_worker) {
    throw error{
        errc::not_initialized,
        std::string{"coterie: this process was started with "} + worker_environment::variable +
            " in its environment, which only a pool sets for its own workers, and not by a pool: "
            "start it without that variable"};
  }
  if (!program::instance().initialized) {
    throw error{errc::not_initialized,
                "coterie: a pool needs coterie::init(argc, argv) as the first statement of main: "
                "workers run the same program, and that is where they become workers"};
  }
}

shared_payload encoded_setup(int processes, const pool_options& options) {
  auto bytes = std::make_shared<byte_buffer>();
  encode(*bytes, worker_setup{.size = processes,
                              .initializer = options.initializer.function(),
                              .finalizer = options.finalizer.function()});
  return bytes;
}

}  // namespace

std::shared_ptr<pool_core> pool_core::make(boost::asio::any_io_executor executor,
                                           const pool_options& options, event_loop_contract) {
  check_initialized();
  check_rights();
  check_limits(options);
  const int processes = checked_processes(options);
  auto engine = make_shared_at_home<pool_engine>(
      std::move(executor),
      pool_settings{.schedule = {.processes = processes,
                                 .start_timeout = options.start_timeout,
                                 .restarts = restarts_for(processes, options.restart_limit)},
                    .rings = rings_for(processes, options),
                    .around = surroundings_for(options),
                    .setup = encoded_setup(processes, options),
                    .seed = options.seed});
  engine->start();
  return engine;
}

}  // namespace coterie::detail
