// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "links/link.hpp"

namespace simulation {

/// The parent's end of a worker, of which is told what goes to the worker, and whether it was found
/// to break the rules.
class watched_link final : public coterie::detail::link {
 public:
  explicit watched_link(std::unique_ptr<coterie::detail::link> real) : real_{std::move(real)} {}

  std::function<void(const coterie::detail::message::run&)> when_sent;
  std::function<void()> when_refused;

  void start(const std::shared_ptr<coterie::detail::link_events>& told) override {
    real_->start(told);
  }
  std::optional<coterie::detail::frame> next() override {
    try {
      return real_->next();
    } catch (const coterie::detail::bad_frame&) {
      when_refused();
      throw;
    }
  }
  void send(const coterie::detail::frame_header& header,
            const coterie::detail::shared_payload& payload) override {
    if (header.kind == coterie::detail::message_kind::run) {
      when_sent(header.as<coterie::detail::message::run>());
    }
    real_->send(header, payload);
  }
  void flush() override { real_->flush(); }
  [[nodiscard]] std::optional<coterie::detail::claimed_items> claimed() override {
    return real_->claimed();
  }
  [[nodiscard]] bool revoke(const coterie::detail::claimed_items& seen) override {
    return real_->revoke(seen);
  }
  void finish() override { real_->finish(); }
  void close() override { real_->close(); }
  [[nodiscard]] bool at_rest() const noexcept override { return real_->at_rest(); }
  void abandon() noexcept override { real_->abandon(); }

 private:
  std::unique_ptr<coterie::detail::link> real_;
};

}  // namespace simulation
