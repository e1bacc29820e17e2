// SPDX-License-Identifier: BSL-1.0
#include "worker/worker.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <coterie/detail/exception_wire.hpp>
#include <coterie/detail/seeds.hpp>
#include <coterie/detail/task.hpp>
#include <coterie/error.hpp>
#include <coterie/this_worker.hpp>

#include "messages/setup_frame.hpp"
#include "processes/exit_status.hpp"
#include "program/modules.hpp"
#include "system/file_identity.hpp"
#include "timing/timing.hpp"
#include "worker/parent_watch.hpp"
#include "worker/standard_output.hpp"
#include "worker/worker_link.hpp"
#include "worker/worker_sink.hpp"

namespace coterie {

namespace {

int worker_rank = -1;
int worker_count = 0;
std::int64_t worker_incarnation = -1;
// What runs items just now, and what they are of; null: nothing does.
const detail::worker_sink* running_sink = nullptr;
std::uint64_t first_of_chunk = 0;  // in its call
std::uint64_t seed_of_call = 0;

}  // namespace

int this_worker::rank() noexcept { return worker_rank; }
int this_worker::size() noexcept { return worker_count; }
std::int64_t this_worker::incarnation() noexcept { return worker_incarnation; }
std::int64_t this_worker::item() noexcept {
  if (running_sink == nullptr) return -1;
  return static_cast<std::int64_t>(first_of_chunk + running_sink->current());
}
std::uint64_t this_worker::seed() noexcept {
  if (running_sink == nullptr) return 0;
  return detail::split_seed(seed_of_call, first_of_chunk + running_sink->current());
}

namespace detail {

namespace {

std::unique_ptr<task> make_task(function_reference factory, std::span<const std::byte> callable) {
  const auto make = reinterpret_cast<task_factory>(find_function(factory));
  return make(callable);
}

// A function that is called once, without arguments, and whose result nobody wants.
class lone_sink final : public result_sink {
 public:
  byte_buffer& results() override { return results_; }
  void succeeded(std::size_t) override {}
  void failed() override { problem = std::current_exception(); }
  result_progress progress() override { return {uncounted_, 0, 0}; }
  std::size_t allowance() override { return 1; }

  std::exception_ptr problem;

 private:
  byte_buffer results_;
  std::uint64_t uncounted_ = 0;
};

void call(const worker_function& function) {
  if (!function) return;
  lone_sink sink;
  make_task(function.factory, function.callable)->run({}, 0, 1, sink);
  if (sink.problem) std::rethrow_exception(sink.problem);
}

// Items run while it lives.
class running_items {
 public:
  running_items(const worker_sink& sink, std::uint64_t first, std::uint64_t seed) {
    first_of_chunk = first;
    seed_of_call = seed;
    running_sink = &sink;
  }
  running_items(const running_items&) = delete;
  running_items& operator=(const running_items&) = delete;
  ~running_items() { running_sink = nullptr; }
};

class session {
 public:
  explicit session(int rank)
      : session{rank, worker_transport::accept(worker_environment::link_descriptor)} {}

  [[noreturn]] void serve() {
    say_hello();
    for (;;) {
      const auto arrived = link_.next();
      if (!arrived) {
        flush_standard_output();
        link_.flush();
        link_.wait();
        continue;
      }
      handle(*arrived);
    }
  }

 private:
  // What is known of a job. Its function is made when the first of its items is about to run: should the
  // program's own code end the process while it does that, an item has begun, and is not sent again.
  struct known_job {
    std::vector<std::byte> definition;
    std::unique_ptr<task> function;
    worker_sink::manner manner;
    std::uint64_t seed = 0;
  };

  void handle(const frame& arrived) {
    switch (arrived.header.kind) {
      case message_kind::setup:
        return set_up(arrived);
      case message_kind::define:
        return define(arrived);
      case message_kind::run:
        return run(arrived);
      case message_kind::forget:
        jobs_.erase(arrived.header.as<message::forget>().job);
        return;
      case message_kind::cancel:
        jobs_.erase(arrived.header.as<message::cancel>().job);
        return;
      case message_kind::stop:
        leave();
      default:
        ::_exit(exit_bad_frame);
    }
  }

  session(int rank, worker_transport::accepted link)
      : secret_{link.secret}, link_{std::move(link.transport)} {
    worker_rank = rank;
  }

  void say_hello() {
    std::vector<std::byte> identity{secret_.begin(), secret_.end()};
    const auto& build = executable_identity();
    identity.insert(identity.end(), build.begin(), build.end());
    link_.send(message::hello{.version = protocol_version}, identity);
    link_.flush();
  }

  void set_up(const frame& arrived) {
    worker_incarnation = static_cast<std::int64_t>(arrived.header.as<message::setup>().incarnation);
    try {
      setup_ = decode_setup(arrived.payload);
      worker_count = setup_.size;
      call(setup_.initializer);
      link_.guard().check();
      // Words that lie in shared memory could otherwise come before the news that the socket is
      // closed: the parent would give work to a worker that cannot be woken.
      if (file_identity::of(worker_environment::link_descriptor) != socket_) leave_without_link();
      link_.send(message::ready{});
    } catch (...) {
      link_.guard().check();
      byte_buffer problem;
      encode_current_exception(problem);
      link_.send(message::not_ready{}, problem.view());
      link_.flush();
      flush_standard_output();
      ::_exit(exit_not_ready);
    }
  }

  void define(const frame& arrived) {
    const auto what = arrived.header.as<message::define>();
    known_job& job = jobs_[what.job];
    job.manner = {.chunksize = static_cast<std::size_t>(what.chunksize),
                  .longest_wait = what.is_stream != 0 ? timing::longest_silence
                                                      : timing::longest_silence_when_collected};
    job.seed = what.seed;
    job.definition.assign(arrived.payload.begin(), arrived.payload.end());
  }

  task& function_of(known_job& job) {
    if (job.function) return *job.function;
    sink_.reach_first();
    // The reference comes first, then what the factory is given.
    const std::span<const std::byte> bytes = job.definition;
    function_reference factory;
    if (bytes.size() < sizeof factory) throw bad_frame{"a definition is too short"};
    std::memcpy(&factory, bytes.data(), sizeof factory);
    job.function = make_task(factory, bytes.subspan(sizeof factory));
    job.definition = {};
    return *job.function;
  }

  void run(const frame& arrived) {
    const auto items = arrived.header.as<message::run>();
    const auto found = jobs_.find(items.job);
    // A job that is not known has been cancelled: its chunk is answered without running anything.
    const bool wanted = found != jobs_.end();
    if (!sink_.begin(items, wanted ? found->second.manner : worker_sink::manner{})) return;
    if (wanted) {
      try {
        task& function = function_of(found->second);
        const running_items running{sink_, items.first, found->second.seed};
        function.run(link_.items_of(arrived), items.begin, items.end, sink_);
      } catch (...) {
        sink_.fail_rest();
      }
    }
    sink_.end();
  }

  [[noreturn]] void leave() {
    try {
      jobs_.clear();
      call(setup_.finalizer);
    } catch (...) {
      byte_buffer problem;
      encode_current_exception(problem);
      link_.send(message::left{}, problem.view());
    }
    link_.guard().check();
    link_.flush();
    std::exit(0);
  }

  const std::optional<file_identity> socket_ =
      file_identity::of(worker_environment::link_descriptor);
  link_secret secret_;
  worker_link link_;
  worker_sink sink_{link_};
  worker_setup setup_;
  std::unordered_map<job_id, known_job> jobs_;
};

}  // namespace

void serve_as_worker(const worker_environment& environment) {
  worker_environment::forget();
  end_without_parent(environment);
  // Started through /proc/self/exe, the process would otherwise be known as "exe".
  ::prctl(PR_SET_NAME, program_invocation_short_name);

  // Programs that tasks start must not hold the parent's link open.
  ::fcntl(worker_environment::link_descriptor, F_SETFD, FD_CLOEXEC);

  write_whole_lines();
  // Lives for ever: threads that tasks have left behind must not see it destroyed at exit.
  static auto* const the_session = new session{environment.rank};
  the_session->serve();
}

}  // namespace detail

}  // namespace coterie
