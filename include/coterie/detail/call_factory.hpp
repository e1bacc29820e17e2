// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>

#include <coterie/call_options.hpp>
#include <coterie/detail/async_state.hpp>
#include <coterie/detail/call_job.hpp>
#include <coterie/detail/cancellation.hpp>
#include <coterie/detail/pool_core.hpp>
#include <coterie/detail/result_takers.hpp>
#include <coterie/detail/stream_state.hpp>
#include <coterie/error.hpp>

namespace coterie::detail {

/// Refuses, with a sentence, a call that cannot be made. Instantiates nothing else before it knows.
template <class Form, class F, class Item>
consteval bool check_call() {
  constexpr bool fits = Form::template callable<F, received_t<Form, F, Item>>;
  static_assert(
      fits,
      "coterie: the function cannot be called with what the input holds; map and imap pass "
      "each item as the one argument, starmap and istarmap spread a tuple over several");
  return fits;
}

/// One kind of call: how items become arguments, the function, and the input.
template <class Form, class GivenF, class Range>
struct call {
  using function_type = std::decay_t<GivenF>;
  using input_type = item_input<Range>;
  using item_type = typename input_type::item_type;
  static_assert(check_travels<item_type>());
  static_assert(check_call<Form, function_type, item_type>());
  using result = call_result_t<Form, function_type, item_type>;
  using job_type = call_job<Form, function_type, input_type>;
};

/// The one item of `apply`: the tuple of its arguments.
template <class... A>
using single_item = std::array<std::tuple<travel_t<A>...>, 1>;

inline job_settings settings_of(const map_options& options) {
  return {.chunksize = options.chunksize, .window = options.window, .held_until_consumed = false};
}
inline job_settings settings_of(const stream_options& options) {
  return {.chunksize = options.chunksize, .window = options.window, .held_until_consumed = true};
}

/// Starts a call whose outcome a receiver of `Outcome` gets, through a `Taker`.
template <class Call, class Taker, class Outcome>
void submit_to(pool_core& core, job_id id, typename Call::function_type function,
               typename Call::input_type input, job_settings settings,
               std::shared_ptr<receiver_t<Outcome>> to) {
  std::shared_ptr<result_taker> taker;
  if constexpr (std::is_constructible_v<Taker, std::shared_ptr<receiver_t<Outcome>>,
                                        std::optional<std::size_t>>) {
    taker = std::make_shared<Taker>(std::move(to), input.size());
  } else {
    taker = std::make_shared<Taker>(std::move(to));
  }
  core.submit(id, std::make_shared<typename Call::job_type>(std::move(function), std::move(input),
                                                            std::move(taker), settings));
}

/// Initiates an asynchronous operation that completes with `Outcome`.
template <class Call, class Taker, class Outcome, class Token>
auto start_operation(std::shared_ptr<pool_core> core, typename Call::function_type function,
                     typename Call::input_type input, job_settings settings, Token& token) {
  using outcome = receiver_for<Outcome>;
  return boost::asio::async_initiate<Token, typename outcome::signature>(
      [core = std::move(core), settings]<class Handler>(Handler&& handler, auto f, auto items) {
        const job_id id = core->reserve();
        cancels_job(handler, core, id);
        auto to = [&] {
          if constexpr (std::is_void_v<Outcome>) {
            return make_completion<>(std::forward<Handler>(handler), core->executor());
          } else {
            return make_completion<Outcome>(std::forward<Handler>(handler), core->executor());
          }
        }();
        submit_to<Call, Taker, Outcome>(
            *core, id, std::move(f), std::move(items), settings,
            std::make_shared<typename outcome::completing>(std::move(to)));
      },
      token, std::move(function), std::move(input));
}

/// Starts a call at once, to be looked at through the state that is returned.
template <class Call, class Taker, class Outcome>
std::shared_ptr<async_state<Outcome>> start_eagerly(pool_core& core, job_id id,
                                                    typename Call::function_type function,
                                                    typename Call::input_type input,
                                                    job_settings settings) {
  if (core.closed()) throw pool_closed{};
  auto state = std::make_shared<async_state<Outcome>>();
  state->total.store(input.size().value_or(0));
  submit_to<Call, Taker, Outcome>(core, id, std::move(function), std::move(input), settings, state);
  return state;
}

/// Starts a stream.
template <class Call>
std::shared_ptr<stream_state<typename Call::result>> start_stream(
    pool_core& core, job_id id, typename Call::function_type function,
    typename Call::input_type input, const stream_options& options, stream_order order) {
  if (core.closed()) throw pool_closed{};
  auto state = std::make_shared<stream_state<typename Call::result>>(order);
  core.submit(id, std::make_shared<typename Call::job_type>(std::move(function), std::move(input),
                                                            state, settings_of(options)));
  return state;
}

}  // namespace coterie::detail
