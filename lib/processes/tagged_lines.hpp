// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace coterie::detail {

/// Makes lines with a tag in front of what arrives in pieces.
class tagged_lines {
 public:
  /// A longer line goes out in pieces of so many bytes.
  static constexpr std::size_t longest_line = std::size_t{64} << 10U;

  explicit tagged_lines(std::string tag) : tag_{std::move(tag)} {}

  /// Takes the next piece, and returns the lines that are whole with it.
  [[nodiscard]] std::string take(std::string_view piece);
  /// The line that has no end yet, with one; empty if there is none.
  [[nodiscard]] std::string rest();

 private:
  void end_line(std::string& lines);

  std::string tag_;
  std::string begun_;  // a line without its end
  bool was_cut_ = false;
};

}  // namespace coterie::detail
