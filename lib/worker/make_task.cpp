// SPDX-License-Identifier: BSL-1.0
#include "worker/make_task.hpp"

#include <cstdint>
#include <cstring>
#include <exception>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/function_reference.hpp>

#include "messages/frame.hpp"

namespace coterie::detail {

namespace {

std::unique_ptr<task> make(function_reference factory, std::span<const std::byte> callable) {
  return reinterpret_cast<task_factory>(find_function(factory))(callable);
}

/// For one call whose result is not wanted.
class single_call final : public result_sink {
 public:
  byte_buffer& results() override { return results_; }
  void succeeded(std::size_t) override {}
  void failed() override { error = std::current_exception(); }
  result_progress progress() override { return {uncounted_, 0, 0}; }
  std::size_t allowance() override { return 1; }

  std::exception_ptr error;

 private:
  byte_buffer results_;
  std::uint64_t uncounted_ = 0;
};

}  // namespace

std::unique_ptr<task> make_task(std::span<const std::byte> definition) {
  function_reference factory;
  if (definition.size() < sizeof factory) throw bad_frame{"a definition is too short"};
  std::memcpy(&factory, definition.data(), sizeof factory);
  return make(factory, definition.subspan(sizeof factory));
}

void call(const worker_function& function) {
  if (!function) return;
  single_call sink;
  make(function.factory, function.callable)->run({}, 0, 1, sink);
  if (sink.error) std::rethrow_exception(sink.error);
}

}  // namespace coterie::detail
