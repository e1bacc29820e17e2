// SPDX-License-Identifier: BSL-1.0
// expect: coterie: this type cannot travel: give it a cereal serialize function
#include <optional>
#include <string>

#include <coterie/ext/codec.hpp>

class account {
 public:
  account() = default;
  explicit account(std::string owner) : owner_(std::move(owner)) {}

 private:
  std::string owner_;
};

void send(coterie::detail::byte_buffer& message, const std::optional<account>& value) {
  coterie::encode(message, value);
}
