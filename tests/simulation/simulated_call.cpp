// SPDX-License-Identifier: BSL-1.0
#include "simulated_call.hpp"

#include <csignal>
#include <ranges>
#include <span>
#include <stdexcept>
#include <tuple>
#include <utility>

#include <coterie/detail/call_job.hpp>
#include <coterie/detail/function_task.hpp>
#include <coterie/detail/item_input.hpp>
#include <coterie/detail/result_reader.hpp>

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
  if (what.does == fate::hangs) here.sleep(std::chrono::hours{24});
  if (what.does == fate::crashes) {
    here.sleep(nanoseconds{what.lasts / 2 + 1});
    here.crash(SIGABRT);
  }
  if (what.lasts > 0) here.sleep(nanoseconds{what.lasts});
  call_events::now->item_over(what);
  if (what.does == fate::throws) throw std::runtime_error{std::to_string(answer_of(what))};
}

std::uint64_t answer(const order& what) {
  run_item(what);
  return answer_of(what);
}

std::string answer_in_words(const std::string& question, order what) {
  if (question.size() != what.answer_size) call_events::now->broken("a question came cut off");
  run_item(what);
  return text_of(what);
}

// ---- in the parent ----------------------------------------------------------------------------

template <class R>
class checking_taker final : public detail::result_taker {
 public:
  checking_taker(std::uint64_t id, simulated_call& call) : id_{id}, call_{call} {}

  detail::job_progress values(std::size_t first, std::size_t count,
                              std::span<const std::byte> results, detail::deliveries&) override {
    detail::read_results<R>(
        first, count, results, [&](std::size_t index, R&& value) { check(index, value); },
        [&](std::size_t index, const std::exception_ptr& error) {
          call_events::now->item_failed(id_, index, error);
        });
    return detail::job_progress::wants_more;
  }
  detail::job_progress failure(std::size_t index, std::exception_ptr error,
                               detail::deliveries&) override {
    call_events::now->item_failed(id_, index, error);
    if (call_.plan.form != call_form::collected) return detail::job_progress::wants_more;
    call_events::now->call_ended(id_, error);
    return detail::job_progress::settled;
  }
  void finish(std::exception_ptr error, detail::deliveries&) override {
    call_events::now->call_ended(id_, error);
  }
  void abandon() noexcept override {}
  void cancel_wait(detail::wait_ticket, detail::deliveries&) override {}
  [[nodiscard]] bool outlasts_input() const noexcept override {
    return call_.plan.form == call_form::stream;
  }
  [[nodiscard]] bool settles_each() const noexcept override {
    return call_.plan.form == call_form::settled;
  }
  std::size_t released() noexcept override { return std::exchange(call_.released, 0); }

 private:
  void check(std::size_t index, std::uint64_t value) {
    if (index >= call_.items.size() || value != answer_of(call_.items[index].what)) {
      return call_events::now->broken("a wrong value came for item " + std::to_string(index));
    }
    call_events::now->item_returned(id_, index);
  }
  void check(std::size_t index, const std::string& value) {
    if (index >= call_.items.size() || value != text_of(call_.items[index].what)) {
      return call_events::now->broken("a wrong text came for item " + std::to_string(index));
    }
    call_events::now->item_returned(id_, index);
  }

  std::uint64_t id_;
  simulated_call& call_;
};

template <class R, class Form, class F, class Item>
detail::counted_ptr<detail::job> job_of(std::uint64_t id, simulated_call& call, F* function,
                                        std::vector<Item> items) {
  using job_type = detail::call_job<Form, F*, std::vector<Item>>;
  const detail::counted_ptr<detail::result_taker> taker{new checking_taker<R>{id, call}};
  return detail::counted_ptr<detail::job>{
      new job_type{function, std::move(items), taker,
                   detail::job_settings{.chunksize = call.plan.chunksize,
                                        .window = call.plan.window,
                                        .held_until_consumed = call.plan.form == call_form::stream,
                                        .seed = 1}}};
}

}  // namespace

detail::counted_ptr<detail::job> make_job(std::uint64_t id, simulated_call& call) {
  if (!call.plan.text) {
    return job_of<std::uint64_t, detail::whole_item>(id, call, &answer, call.plan.items);
  }
  std::vector<std::tuple<std::string, order>> items;
  for (const order& each : call.plan.items) {
    items.emplace_back(std::string(each.answer_size, 'q'), each);
  }
  return job_of<std::string, detail::spread_item>(id, call, &answer_in_words, std::move(items));
}

}  // namespace simulation
