// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>

#include <coterie/call_options.hpp>
#include <coterie/detail/async_state.hpp>
#include <coterie/detail/call_check.hpp>
#include <coterie/detail/call_job.hpp>
#include <coterie/detail/cancellation.hpp>
#include <coterie/detail/pool_core.hpp>
#include <coterie/detail/result_takers.hpp>
#include <coterie/detail/stream_state.hpp>
#include <coterie/error.hpp>

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
  using item_type = typename input_type::item_type;
  using result = call_result_t<Form, function_type, item_type>;
  using job_type = call_job<Form, function_type, input_type>;
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

/// A call that is ready to be submitted, and where its outcome will come out. No more depends on the
/// function and the input from here on, which spares the compiler much work.
template <class Outcome>
struct prepared_call {
  std::shared_ptr<job> work;
  std::shared_ptr<outcome_taker<Outcome>> taker;
  std::optional<std::size_t> size;
};

template <class Call, class Taker, class Outcome>
prepared_call<Outcome> prepare(typename Call::function_type function,
                               typename Call::input_type input, job_settings settings) {
  const auto size = input.size();
  auto taker = std::make_shared<Taker>(size);
  auto work = std::make_shared<typename Call::job_type>(std::move(function), std::move(input),
                                                        taker, settings);
  return {std::move(work), std::move(taker), size};
}

/// Initiates an asynchronous operation that completes with `Outcome`.
template <class Outcome, class Token>
auto start_operation(std::shared_ptr<pool_core> core, prepared_call<Outcome> call, Token& token) {
  core->home.require();
  using outcome = receiver_for<Outcome>;
  if constexpr (!check_token<Token, typename outcome::signature>()) {
    boost::asio::use_awaitable_t<> instead;
    return start_operation(std::move(core), std::move(call), instead);
  } else {
    return boost::asio::async_initiate<Token, typename outcome::signature>(
        [core = std::move(core)]<class Handler>(Handler&& handler,
                                                prepared_call<Outcome> prepared) {
          const job_id id = core->reserve();
          cancels_job(handler, core, id);
          auto to = [&] {
            if constexpr (std::is_void_v<Outcome>) {
              return make_completion<Token>(std::forward<Handler>(handler), core->executor());
            } else {
              return make_completion<Token, Outcome>(std::forward<Handler>(handler),
                                                     core->executor());
            }
          }();
          prepared.taker->send_to(std::make_shared<typename outcome::completing>(std::move(to)));
          core->submit(id, std::move(prepared.work));
        },
        token, std::move(call));
  }
}

/// Starts a call at once, to be looked at through the state that is returned.
template <class Outcome>
std::shared_ptr<async_state<Outcome>> start_eagerly(pool_core& core, job_id id,
                                                    prepared_call<Outcome> call) {
  core.home.require();
  if (core.closed()) throw pool_closed{};
  auto state = std::make_shared<async_state<Outcome>>();
  state->total.store(call.size.value_or(0));
  call.taker->send_to(state);
  core.submit(id, std::move(call.work));
  return state;
}

/// Starts a stream.
template <class Call>
std::shared_ptr<stream_state<typename Call::result>> start_stream(
    pool_core& core, job_id id, typename Call::function_type function,
    typename Call::input_type input, const stream_options& options, stream_order order) {
  core.home.require();
  if (core.closed()) throw pool_closed{};
  auto state = std::make_shared<stream_state<typename Call::result>>(order);
  core.submit(id, std::make_shared<typename Call::job_type>(std::move(function), std::move(input),
                                                            state, settings_of(options)));
  return state;
}

}  // namespace coterie::detail
