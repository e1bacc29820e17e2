// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a raw pointer or reference cannot travel to another process
#include <string>
#include <vector>

#include <coterie/ext/codec.hpp>

struct node {
  std::string name;
  node* next = nullptr;
};

struct graph {
  int version = 1;
  std::vector<node> nodes;
};

void send(coterie::detail::byte_buffer& message, const graph& value) {
  coterie::encode(message, value);
}
