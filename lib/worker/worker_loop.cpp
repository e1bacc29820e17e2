// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_loop.hpp"

#include <utility>

#include <coterie/detail/exception_wire.hpp>

#include "processes/exit_status.hpp"
#include "program/modules.hpp"
#include "timing/timing.hpp"
#include "worker/make_task.hpp"
#include "worker/standard_output.hpp"

namespace coterie::detail {

namespace {

// Items run while it lives.
class running_items {
 public:
  running_items(worker_state& state, const worker_sink& sink, std::uint64_t first,
                std::uint64_t seed)
      : state_{state} {
    state_.first_of_chunk = first;
    state_.seed_of_call = seed;
    state_.running = &sink;
  }
  running_items(const running_items&) = delete;
  running_items& operator=(const running_items&) = delete;
  ~running_items() { state_.running = nullptr; }

 private:
  worker_state& state_;
};

}  // namespace

worker_loop::worker_loop(int rank, worker_transport::accepted link, worker_runtime& runtime,
                         int descriptor)
    : runtime_{runtime},
      descriptor_{descriptor},
      socket_{file_identity::of(descriptor)},
      secret_{link.secret},
      link_{std::move(link.transport), runtime},
      sink_{link_, runtime},
      state_{.rank = rank} {}

worker_loop::~worker_loop() {
  if (current_worker == &state_) current_worker = nullptr;
}

void worker_loop::run() {
  current_worker = &state_;
  say_hello();
  for (;;) {
    if (const auto arrived = link_.next()) {
      handle(*arrived);
      continue;
    }
    flush_standard_output();
    link_.flush();
    link_.wait();
  }
}

void worker_loop::handle(const frame& arrived) {
  switch (arrived.header.kind) {
    case message_kind::setup:
      return set_up(arrived);
    case message_kind::define:
      return define(arrived);
    case message_kind::run:
      return run_chunk(arrived);
    case message_kind::forget:
      jobs_.erase(arrived.header.as<message::forget>().job);
      return;
    case message_kind::cancel:
      jobs_.erase(arrived.header.as<message::cancel>().job);
      return;
    case message_kind::stop:
      leave();
    default:
      runtime_.exit_at_once(exit_bad_frame);
  }
}

// ---- the beginning ----------------------------------------------------------------------------

void worker_loop::say_hello() {
  std::vector<std::byte> identity{secret_.begin(), secret_.end()};
  const auto& build = executable_identity();
  identity.insert(identity.end(), build.begin(), build.end());
  link_.send(message::hello{.version = protocol_version}, identity);
  link_.flush();
}

void worker_loop::set_up(const frame& arrived) {
  state_.incarnation = static_cast<std::int64_t>(arrived.header.as<message::setup>().incarnation);
  try {
    setup_ = decode_setup(arrived.payload);
    state_.size = setup_.size;
    call(setup_.initializer);
    link_.guard().check();
    // Otherwise `ready`, through shared memory, could arrive before the end of the socket: the
    // parent would give work to a worker that cannot be woken.
    if (file_identity::of(descriptor_) != socket_) leave_without_link(runtime_);
    link_.send(message::ready{});
  } catch (...) {
    leave_unready();
  }
}

void worker_loop::leave_unready() {
  link_.send(message::not_ready{}, caught_exception().view());
  link_.flush();
  flush_standard_output();
  runtime_.exit_at_once(exit_not_ready);
}

// ---- chunks -----------------------------------------------------------------------------------

void worker_loop::define(const frame& arrived) {
  const auto what = arrived.header.as<message::define>();
  known_job& job = jobs_[what.job];
  job.manner = {.chunksize = static_cast<std::size_t>(what.chunksize),
                .longest_wait = what.is_stream != 0 ? timing::longest_silence
                                                    : timing::longest_silence_when_collected};
  job.seed = what.seed;
  job.is_for_one_chunk = what.is_for_one_chunk != 0;
  job.definition.assign(arrived.payload.begin(), arrived.payload.end());
}

task& worker_loop::function_of(known_job& job) {
  if (job.function) return *job.function;
  sink_.reach_first();
  job.function = make_task(job.definition);
  job.definition = {};
  return *job.function;
}

void worker_loop::run_chunk(const frame& arrived) {
  const auto found = jobs_.find(arrived.header.as<message::run>().job);
  if (found == jobs_.end()) return run_items(arrived, nullptr);
  run_items(arrived, &found->second);
  if (found->second.is_for_one_chunk) jobs_.erase(found);
}

// A job that is not known (null) has been cancelled: its chunk is answered, and nothing runs.
void worker_loop::run_items(const frame& arrived, known_job* job) {
  const auto items = arrived.header.as<message::run>();
  if (!sink_.begin(items, job != nullptr ? job->manner : worker_sink::manner{})) return;
  if (job != nullptr) {
    try {
      task& function = function_of(*job);
      const running_items running{state_, sink_, items.first, job->seed};
      function.run(link_.items_of(arrived), items.begin, items.end, sink_);
    } catch (...) {
      sink_.fail_rest();
    }
  }
  sink_.end();
}

// ---- the end ----------------------------------------------------------------------------------

void worker_loop::leave() {
  try {
    jobs_.clear();
    call(setup_.finalizer);
  } catch (...) {
    link_.send(message::left{}, caught_exception().view());
  }
  link_.guard().check();
  link_.flush();
  runtime_.exit(0);
}

// As it travels. Precondition: called inside a catch block, before anything else.
byte_buffer worker_loop::caught_exception() {
  runtime_.require_running();
  link_.guard().check();
  byte_buffer encoded;
  encode_current_exception(encoded);
  return encoded;
}

}  // namespace coterie::detail
