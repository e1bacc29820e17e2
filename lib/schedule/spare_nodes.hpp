// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace coterie::detail {

/// The memory of elements that a set or a map has no more, for its next ones: what comes and goes
/// with every chunk is not allocated every time. A copy of it is empty.
template <class Container>
class spare_nodes {
 public:
  using node_type = typename Container::node_type;

  spare_nodes() = default;
  spare_nodes(const spare_nodes&) noexcept {}
  spare_nodes& operator=(const spare_nodes&) noexcept { return *this; }
  ~spare_nodes() = default;

  void keep(node_type node) {
    if (nodes_.size() < max_kept) nodes_.push_back(std::move(node));
  }
  /// Empty: there is none.
  node_type take() {
    if (nodes_.empty()) return {};
    node_type node = std::move(nodes_.back());
    nodes_.pop_back();
    return node;
  }

 private:
  // As many chunks as a pool of many workers opens and closes in turn.
  static constexpr std::size_t max_kept = 256;

  std::vector<node_type> nodes_;
};

}  // namespace coterie::detail
