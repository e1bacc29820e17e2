// SPDX-License-Identifier: BSL-1.0
#include "simulated_machine.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <boost/system/system_error.hpp>

#include "links/make_link.hpp"
#include "watched_link.hpp"

namespace simulation {

namespace detail = coterie::detail;
using std::chrono::microseconds;
using std::chrono::milliseconds;

class simulated_process final : public detail::hosted_process {
 public:
  simulated_process(simulated_machine& machine, std::shared_ptr<simulated_worker> worker)
      : machine_{machine}, worker_{std::move(worker)} {
    worker_->when_over = [this] { is_over(); };
    worker_->when_next_chunk = [this] { machine_.events_.next_chunk(*worker_); };
    worker_->when_frame_sent = [this] { machine_.events_.frame_sent(worker_->pid()); };
    worker_->when_hostile = [this](const hostile_act& did) {
      machine_.events_.was_hostile(*worker_, did);
    };
  }
  ~simulated_process() override { end(); }

  void start(const std::shared_ptr<detail::process_events>& told) override {
    waiting_ = true;
    told_ = told;
  }
  [[nodiscard]] pid_t pid() const noexcept override { return worker_->pid(); }
  void kill() noexcept override {
    if (!is_exiting()) machine_.events_.killed_by_parent(*worker_);
    worker_->signal(SIGKILL);
  }
  [[nodiscard]] bool is_exiting() const noexcept override {
    return worker_->now_is() == simulated_worker::stage::over;
  }
  void end() noexcept override {
    if (std::exchange(ended_, true)) return;
    worker_->end_now();
    reap();
  }
  void stop_waiting() override {}
  [[nodiscard]] bool at_rest() const noexcept override { return !waiting_; }
  void abandon() noexcept override {
    end();
    waiting_ = false;
    told_.reset();
  }

 private:
  void is_over() {
    machine_.events_.worker_over(*worker_);
    if (!waiting_) return;
    // The kernel takes its time to tell.
    const auto when =
        machine_.loop_.now() + machine_.chance_.time_between(microseconds{10}, milliseconds{20});
    machine_.loop_.add(when, [this, told = std::exchange(told_, {})] {
      waiting_ = false;
      if (ended_) return told->process_at_rest();
      reap();
      told->exited(worker_->wait_status());
    });
  }
  void reap() { std::erase(machine_.workers_, worker_); }

  simulated_machine& machine_;
  std::shared_ptr<simulated_worker> worker_;
  std::shared_ptr<detail::process_events> told_;
  bool waiting_ = false;
  bool ended_ = false;
};

detail::started_worker simulated_machine::start(int rank) {
  if (chance_.once_in(faults_.failed_start_in)) {
    constexpr std::array why{EAGAIN, ENOMEM, EMFILE};
    throw boost::system::system_error{why[chance_.below(why.size())],
                                      boost::system::system_category(), "made up"};
  }
  loop_.pass(chance_.time_between(microseconds{300}, milliseconds{5}));
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    throw boost::system::system_error{errno, boost::system::system_category(), "socketpair"};
  }
  detail::unique_descriptor parents{pair[0]};
  auto worker =
      std::make_shared<simulated_worker>(loop_, chance_, mischief_, faults_.workers, ++last_pid_,
                                         rank, detail::unique_descriptor{pair[1]});
  auto rings = rings_;
  if (chance_.once_in(faults_.refused_memory_in)) rings.capacity = 0;
  auto link = detail::make_link(loop_, std::move(parents), rings);
  if (link.revocable) worker->share_memory(rings.capacity);
  link.wire = std::make_unique<watched_link>(std::move(link.wire), worker, events_, races_);
  workers_.push_back(worker);
  events_.worker_started(*worker);
  return {.process = std::make_unique<simulated_process>(*this, std::move(worker)),
          .link = std::move(link)};
}

}  // namespace simulation
