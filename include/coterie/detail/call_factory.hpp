// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/use_awaitable.hpp>

#include <coterie/call_options.hpp>
#include <coterie/detail/call_check.hpp>
#include <coterie/detail/call_job.hpp>
#include <coterie/detail/cancellation.hpp>
#include <coterie/detail/initiate.hpp>
#include <coterie/detail/outcome.hpp>
#include <coterie/detail/pool_core.hpp>
#include <coterie/detail/result_takers.hpp>
#include <coterie/detail/stream_state.hpp>

namespace coterie::detail {

template <class Form>
inline constexpr call_form form_of =
    std::is_same_v<Form, spread_item> ? call_form::starmap : call_form::map;

/// Whether a call over a range can be made. If not, says why.
template <class Form, call_form How, class F, class Range>
consteval bool check_range_call() {
  if constexpr (std::ranges::input_range<Range>) {
    return check_call<Form, How, F, travel_t<std::ranges::range_value_t<Range>>>();
  } else {
    refuse_input<Range>();
    return false;
  }
}

/// One kind of call: how items become arguments, the function, and the input. One that was refused
/// has a `result` and nothing else.
template <class Form, class GivenF, class Range, call_form How = form_of<Form>,
          bool Accepted = check_range_call<Form, How, std::decay_t<GivenF>, Range>()>
struct call {
  static constexpr bool accepted = true;
  using function_type = std::decay_t<GivenF>;
  using input_type = item_input<Range>;
  using result = call_result_t<Form, function_type, typename input_type::item_type>;
  using job_type = call_job<Form, function_type, Range>;
};

template <class Form, class GivenF, class Range, call_form How>
struct call<Form, GivenF, Range, How, false> {
  static constexpr bool accepted = false;
  using result = typename decltype(likely_result<std::decay_t<GivenF>>())::type;
};

/// The one item of `apply`: the tuple of its arguments.
template <class... A>
using single_item = std::array<std::tuple<travel_t<A>...>, 1>;

inline job_settings settings_of(const map_options& options) {
  return {.chunksize = options.chunksize,
          .window = options.window,
          .held_until_consumed = false,
          .seed = options.seed};
}
inline job_settings settings_of(const stream_options& options) {
  return {.chunksize = options.chunksize,
          .window = options.window,
          .held_until_consumed = true,
          .seed = options.seed};
}

/// A call that is ready to be submitted, and where its outcome comes out. No more depends on the
/// function and the input from here on, which spares the compiler much work.
struct prepared_work {
  counted_ptr<job> work;
  counted_ptr<outcome> results;
};
/// The same, with the type of the outcome.
template <class Outcome>
struct prepared_call : prepared_work {};

template <class Call, class Outcome, class Taker, class F, class Range>
prepared_call<Outcome> prepare(F&& function, Range&& range, const job_settings& settings) {
  const auto size = Call::input_type::size_of(range);
  counted_ptr<outcome> results{new Taker{size}};
  results->total.store(size.value_or(0), std::memory_order_relaxed);
  counted_ptr<job> work{new typename Call::job_type{std::forward<F>(function),
                                                    std::forward<Range>(range), results, settings}};
  return {{std::move(work), std::move(results)}};
}

/// A call that is awaited, or has a handler.
struct call_operation {
  std::shared_ptr<pool_core> core;
  prepared_work call;

  [[nodiscard]] job_cancellation cancellation(job_id id) const { return {core, id}; }
  void begin(job_id id, std::unique_ptr<delivery> handler);
};

/// Initiates an asynchronous operation that completes with `Outcome`.
template <class Outcome, class Token>
auto start_operation(const std::shared_ptr<pool_core>& core, prepared_call<Outcome> call,
                     Token& token) {
  core->home.require();
  if constexpr (!check_token<Token, completion_signature_t<Outcome>>()) {
    boost::asio::use_awaitable_t<> instead;
    return start_operation(core, std::move(call), instead);
  } else {
    return initiate<Outcome>(pool_operation{call_operation{core, std::move(call)}}, token);
  }
}

/// The wait for the end of a pool.
struct join_operation {
  std::shared_ptr<pool_core> core;

  [[nodiscard]] job_cancellation cancellation(job_id id) const { return {core, id}; }
  void begin(job_id id, std::unique_ptr<delivery> handler) { core->join(id, std::move(handler)); }
};

/// Throws `error` (`errc::forked`) away from home, and `pool_closed`.
void require_open(const pool_core& core);

/// Starts a call, to be looked at through its outcome.
void start_eagerly(pool_core& core, job_id id, const prepared_work& call);

/// Starts a stream.
template <class Call, class F, class Range>
counted_ptr<stream_results> start_stream(pool_core& core, job_id id, F&& function, Range&& range,
                                         const stream_options& options, stream_order order) {
  require_open(core);
  counted_ptr<stream_results> results{
      new stream_state<typename Call::result>{order, options.window}};
  core.submit(id, counted_ptr<job>{new typename Call::job_type{std::forward<F>(function),
                                                               std::forward<Range>(range), results,
                                                               settings_of(options)}});
  return results;
}

}  // namespace coterie::detail
