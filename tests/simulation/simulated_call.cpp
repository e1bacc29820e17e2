// SPDX-License-Identifier: BSL-1.0
#include "simulated_call.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <stdexcept>
#include <tuple>
#include <utility>

#include <coterie/detail/call_job.hpp>
#include <coterie/detail/function_task.hpp>
#include <coterie/detail/item_input.hpp>

#include "checking_taker.hpp"

namespace simulation {

namespace detail = coterie::detail;

call_events* call_events::now = nullptr;

std::uint64_t answer_of(const order& what) {
  return choices{what.call * 0x10001U + what.index}.next();
}

std::string text_of(const order& what) {
  return std::to_string(answer_of(what)) + std::string(what.answer_size, 'x');
}

namespace {

// ---- in workers -------------------------------------------------------------------------------

void run_item(const order& what) {
  simulated_worker& here = *simulated_worker::running;
  call_events::now->item_begins(what, here);
  here.may_turn_hostile();
  if (what.does == fate::hangs) here.sleep(std::chrono::hours{24});
  if (what.does == fate::crashes) {
    here.sleep(nanoseconds{what.lasts / 2 + 1});
    here.crash(SIGABRT);
  }
  if (what.lasts > 0) here.sleep(nanoseconds{what.lasts});
  here.may_turn_hostile();
  call_events::now->item_over(what, here);
  if (what.does == fate::throws) throw std::runtime_error{std::to_string(answer_of(what))};
}

std::uint64_t answer(const order& what) {
  run_item(what);
  return answer_of(what);
}

std::string answer_in_words(const question& asked, order what) {
  if (asked.text.size() != what.answer_size) call_events::now->broken("a question came cut off");
  run_item(what);
  return text_of(what);
}

// ---- in the parent ----------------------------------------------------------------------------

// A call whose function cannot be encoded.
class unfit_job final : public detail::job {
 public:
  unfit_job(detail::counted_ptr<detail::result_taker> results, fault planned)
      : job{std::move(results), {}}, fault_{planned} {}
  [[nodiscard]] detail::function_reference factory() const override { return {}; }
  void encode_callable(detail::byte_buffer&) override {
    fault_.throw_if(place::function, fault_.index);
  }

 private:
  detail::input& items() noexcept override { return none_; }

  fault fault_;
  detail::item_input<std::vector<order>> none_{{}};
};

template <class Form, class F, class Range>
detail::counted_ptr<detail::job> job_of(const call_plan& plan, F* function, Range items,
                                        detail::counted_ptr<detail::result_taker> results) {
  using job_type = detail::call_job<Form, F*, Range>;
  return detail::counted_ptr<detail::job>{
      new job_type{function, std::move(items), std::move(results),
                   detail::job_settings{.chunksize = plan.chunksize,
                                        .window = plan.window,
                                        .held_until_consumed = plan.form == call_form::stream,
                                        .seed = 1}}};
}

template <class R, class Form, class F, class Item>
detail::counted_ptr<detail::job> job_of(std::uint64_t id, simulated_call& call, F* function,
                                        std::vector<Item> items) {
  const call_plan& plan = call.plan;
  detail::counted_ptr<detail::result_taker> results{new checking_taker<R>{id, call}};
  if (plan.throws.where == place::function) {
    return detail::counted_ptr<detail::job>{new unfit_job{std::move(results), plan.throws}};
  }
  switch (plan.input) {
    case input_kind::forward_range: {
      using range = uncertain_range<Item, std::forward_iterator_tag>;
      return job_of<Form>(plan, function, range{std::move(items), plan.throws}, std::move(results));
    }
    case input_kind::read_once: {
      using range = uncertain_range<Item, std::input_iterator_tag>;
      return job_of<Form>(plan, function, range{std::move(items), plan.throws}, std::move(results));
    }
    case input_kind::vector:
      break;
  }
  return job_of<Form>(plan, function, std::move(items), std::move(results));
}

}  // namespace

bool call_plan::hangs() const {
  return std::ranges::any_of(items, [](const order& each) { return each.does == fate::hangs; });
}

std::size_t call_plan::input_size() const {
  switch (throws.where) {
    case place::begin:
    case place::function:
      return 0;
    case place::compare:
    case place::read:
      return throws.index;
    case place::step:
      return throws.index + 1;
    default:
      return items.size();
  }
}

detail::counted_ptr<detail::job> make_job(std::uint64_t id, simulated_call& call) {
  if (!call.plan.text) {
    return job_of<std::uint64_t, detail::whole_item>(id, call, &answer, call.plan.items);
  }
  std::vector<std::tuple<question, order>> items;
  for (const order& each : call.plan.items) {
    question asked{.text = std::string(each.answer_size, 'q')};
    if (call.plan.throws.is(place::encoding, each.index)) asked.refuses = call.plan.throws;
    items.emplace_back(std::move(asked), each);
  }
  return job_of<std::string, detail::spread_item>(id, call, &answer_in_words, std::move(items));
}

}  // namespace simulation
