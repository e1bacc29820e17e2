// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a value that travels must be default-constructible and movable
#include <vector>

#include <coterie/ext/codec.hpp>

class celsius {
 public:
  explicit celsius(double degrees) : degrees_(degrees) {}

  template <class Archive>
  void serialize(Archive& archive) {
    archive(degrees_);
  }

 private:
  double degrees_;
};

std::vector<celsius> receive(std::span<const std::byte> message) {
  return coterie::decode<std::vector<celsius>>(message);
}
