// SPDX-License-Identifier: BSL-1.0
#include "processes/tagged_lines.hpp"

#include <algorithm>

namespace coterie::detail {

std::string tagged_lines::take(std::string_view piece) {
  std::string lines;
  while (!piece.empty()) {
    const std::size_t room = longest_line - begun_.size();
    const auto end = piece.find('\n');
    if (end <= room) {
      begun_.append(piece.substr(0, end));
      piece.remove_prefix(end + 1);
      // One that was cut just here has its end already.
      if (!was_cut_ || !begun_.empty()) end_line(lines);
      was_cut_ = false;
    } else {
      begun_.append(piece.substr(0, room));
      piece.remove_prefix(std::min(room, piece.size()));
      if (begun_.size() < longest_line) break;
      end_line(lines);
      was_cut_ = true;
    }
  }
  return lines;
}

std::string tagged_lines::rest() {
  std::string lines;
  if (!begun_.empty()) end_line(lines);
  return lines;
}

void tagged_lines::end_line(std::string& lines) {
  lines.append(tag_).append(begun_).push_back('\n');
  begun_.clear();
}

}  // namespace coterie::detail
