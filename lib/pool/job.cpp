// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/job.hpp>

#include <exception>
#include <utility>

#include <coterie/detail/call_factory.hpp>
#include <coterie/detail/pool_core.hpp>
#include <coterie/error.hpp>

namespace coterie::detail {

cut_result input::cut(const cut_limits& limits, byte_buffer& out) {
  if (range_error_) std::rethrow_exception(std::exchange(range_error_, {}));
  cut_result taken;
  try {
    take(limits, out, taken);
  } catch (...) {
    // What was taken before goes on its way; the next cut says what happened.
    if (taken.count == 0) throw;
    range_error_ = std::current_exception();
  }
  taken_ += taken.count;
  return taken;
}

std::exception_ptr input::take_error(std::size_t index) {
  const auto found = errors_.find(index);
  if (found == errors_.end()) return {};
  const auto error = found->second;
  errors_.erase(found);
  return error;
}

void input::note_error(const cut_result& taken) {
  errors_.emplace(taken_ + taken.count, std::current_exception());
}

cut_result job::cut(const cut_limits& limits, byte_buffer& out) {
  if (!results_->outlasts_input()) return items().cut(limits, out);
  try {
    return items().cut(limits, out);
  } catch (...) {
    input_error_ = std::current_exception();
    return {.count = 0, .exhausted = true};
  }
}

job_progress job::failure(std::size_t index, std::exception_ptr error, deliveries& due) {
  if (auto cause = items().take_error(index)) error = std::move(cause);
  return results_->failure(index, std::move(error), due);
}

void job::finish(std::exception_ptr error, deliveries& due) {
  results_->finish(error ? std::move(error) : std::exchange(input_error_, {}), due);
}

void require_open(const pool_core& core) {
  core.home.require();
  if (core.closed()) throw pool_closed{};
}

void call_operation::begin(job_id id, std::unique_ptr<delivery> handler) {
  call.results->send_to(std::move(handler));
  core->submit(id, std::move(call.work));
}

void start_eagerly(pool_core& core, job_id id, const prepared_work& call) {
  require_open(core);
  core.submit(id, call.work);
}

}  // namespace coterie::detail
