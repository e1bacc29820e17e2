// SPDX-License-Identifier: BSL-1.0
#include <coterie/error.hpp>

#include <sys/wait.h>

#include <csignal>
#include <string>

#include "errors/how_it_ended.hpp"

namespace coterie {

namespace {

// Boost's base class has no virtual destructor on purpose: a category has no owner.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class category final : public boost::system::error_category {
 public:
  // The fixed identity makes codes compare equal when two shared libraries each hold a copy of
  // coterie.
  constexpr category() noexcept : error_category(0xc07e21e5a1d9f3b7) {}

  const char* name() const noexcept override { return "coterie"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::pool_closed:
        return "the pool is closed and accepts no more work: submit before close(), or make "
               "another pool";
      case errc::pool_terminated:
        return "the pool was terminated with this work pending: call close() and join() first if "
               "it must finish";
      case errc::not_initialized:
        return "a worker process made a pool: call coterie::init(argc, argv) as the first "
               "statement of main, or use coterie::run";
      case errc::start_failed:
        return "no worker could be started";
      case errc::worker_crashed:
        return "the worker died while it held this item";
      case errc::timeout:
        return "the time limit passed before the result was there";
      case errc::decode_failed:
        return "the bytes do not make the value they should: does the type's serialize function "
               "read what it writes?";
      case errc::encode_failed:
        return "the value could not be turned into bytes";
      case errc::result_taken:
        return "the result has already been taken by an earlier get(): keep that one";
      case errc::not_ready:
        return "there is no result yet: ask ready(), or wait, before successful()";
      case errc::protocol_violation:
        return "the worker sent bytes that no worker sends: look for code in it that writes to "
               "descriptors or memory it does not own";
      case errc::unknown_function:
        return "the worker has not loaded the shared library that holds the function: load it in "
               "the initializer, or link it";
      case errc::not_closed:
        return "the pool still accepts work: call close() or terminate() before join()";
      case errc::privileged:
        return "a pool cannot be made in a process whose real and effective user or group differ: "
               "give up one of the two for good first";
      case errc::forked:
        return "this process was forked from the one that made the pool: use it there, or make "
               "another here";
    }
    return "unknown coterie error " + std::to_string(value);
  }
};
#pragma GCC diagnostic pop

std::string worker_text(const remote_place& place) {
  return "worker " + std::to_string(place.rank) + " (pid " + std::to_string(place.pid) + ")";
}

std::string crash_text(const remote_place& place, std::optional<int> signal,
                       std::optional<int> exit_code) {
  return worker_text(place) + " " + detail::how_it_ended(signal, exit_code) +
         " while it held item " + std::to_string(place.item) +
         (signal == SIGKILL ? ": another process killed it, or the system ran out of memory" : "");
}

}  // namespace

const boost::system::error_category& coterie_category() noexcept {
  static const category instance;
  return instance;
}

boost::system::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), coterie_category()};
}

error::error(errc code, const std::string& details)
    : system_error(make_error_code(code)),
      text_(details.empty() ? make_error_code(code).message() : details) {}

const char* error::what() const noexcept { return text_.what(); }

pool_closed::pool_closed(const std::string& details) : error(errc::pool_closed, details) {}

pool_terminated::pool_terminated(const std::string& details)
    : error(errc::pool_terminated, details) {}

start_failed::start_failed(const std::string& reason)
    : error(errc::start_failed, "no worker could be started: " + reason), reason_(reason) {}

const char* start_failed::reason() const noexcept { return reason_.what(); }

timeout_error::timeout_error(const std::string& details) : error(errc::timeout, details) {}

worker_crashed::worker_crashed(const remote_place& place, std::optional<int> signal,
                               std::optional<int> exit_code)
    : error(errc::worker_crashed, crash_text(place, signal, exit_code)),
      remote_info(place, "coterie::worker_crashed"),
      reason_(""),
      signal_(signal),
      exit_code_(exit_code) {}

worker_crashed::worker_crashed(const remote_place& place, const std::string& reason)
    : error(errc::worker_crashed, worker_text(place) +
                                      " was ended by the pool while it held item " +
                                      std::to_string(place.item) + ", because " + reason),
      remote_info(place, "coterie::worker_crashed"),
      reason_(reason) {}

worker_crashed worker_crashed::from_wait_status(const remote_place& place, int wait_status) {
  if (WIFSIGNALED(wait_status)) return {place, WTERMSIG(wait_status), std::nullopt};
  if (WIFEXITED(wait_status)) return {place, std::nullopt, WEXITSTATUS(wait_status)};
  return {place, std::nullopt, std::nullopt};
}

}  // namespace coterie
