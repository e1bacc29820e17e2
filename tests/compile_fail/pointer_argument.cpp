// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a raw pointer or reference cannot travel to another process
#include <coterie/ext/codec.hpp>

void send(coterie::detail::byte_buffer& message, const char* text) {
  coterie::encode(message, text);
}
