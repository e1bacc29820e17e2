// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a raw pointer or reference cannot travel to another process
#include <coterie/ext/codec.hpp>

class cursor {
 public:
  template <class Archive>
  void serialize(Archive& archive) {
    archive(position_);
  }

 private:
  const char* position_ = nullptr;
};

void send(coterie::detail::byte_buffer& message, const cursor& value) {
  coterie::encode(message, value);
}
