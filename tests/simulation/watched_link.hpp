// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "choices.hpp"
#include "links/link.hpp"
#include "machine_events.hpp"
#include "simulated_worker.hpp"

namespace simulation {

/// The parent's end of a worker, of which is told what goes to the worker and what is taken from
/// it. While it revokes, the worker may go on.
class watched_link final : public coterie::detail::link {
 public:
  /// `events` and `chance` outlive it.
  watched_link(std::unique_ptr<coterie::detail::link> real,
               std::shared_ptr<simulated_worker> worker, machine_events& events, choices& chance)
      : real_{std::move(real)}, worker_{std::move(worker)}, events_{events}, chance_{chance} {}

  void start(const std::shared_ptr<coterie::detail::link_events>& told) override {
    real_->start(told);
  }
  std::optional<coterie::detail::frame> next() override {
    try {
      auto found = real_->next();
      if (found) events_.frame_taken(worker_->pid(), found->header);
      return found;
    } catch (const coterie::detail::bad_frame&) {
      refused_ = true;
      events_.refused(worker_->pid());
      throw;
    }
  }
  void send(const coterie::detail::frame_header& header,
            const coterie::detail::shared_payload& payload) override {
    if (header.kind == coterie::detail::message_kind::run) {
      events_.chunk_sent(worker_->pid(), header.as<coterie::detail::message::run>());
    }
    real_->send(header, payload);
  }
  void flush() override { real_->flush(); }
  [[nodiscard]] std::optional<coterie::detail::claimed_items> claimed() override {
    worker_->claims_are_read();
    const auto found = real_->claimed();
    if (found && refused_) events_.believed_nonetheless(worker_->pid());
    return found;
  }
  [[nodiscard]] bool revoke(const coterie::detail::claimed_items& seen) override {
    while (chance_.once_in(2) && worker_->is_able()) worker_->go_on();
    if (!real_->revoke(seen)) return false;
    events_.rest_revoked(worker_->pid(), seen);
    return true;
  }
  void finish() override { real_->finish(); }
  void close() override {
    using enum simulated_worker::stage;
    if (!std::exchange(closed_, true) && worker_->now_is() == over) {
      events_.given_up(worker_->pid(), worker_->claims());
    }
    real_->close();
  }
  [[nodiscard]] bool at_rest() const noexcept override { return real_->at_rest(); }
  void abandon() noexcept override { real_->abandon(); }

 private:
  std::unique_ptr<coterie::detail::link> real_;
  const std::shared_ptr<simulated_worker> worker_;
  machine_events& events_;
  choices& chance_;
  bool refused_ = false;
  bool closed_ = false;
};

}  // namespace simulation
