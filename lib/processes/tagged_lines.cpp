// SPDX-License-Identifier: BSL-1.0
#include "processes/tagged_lines.hpp"

namespace coterie::detail {

std::string tagged_lines::take(std::string_view piece) {
  std::string lines;
  for (auto end = piece.find('\n'); end != piece.npos; end = piece.find('\n')) {
    begun_.append(piece.substr(0, end));
    piece.remove_prefix(end + 1);
    end_line(lines);
  }
  begun_.append(piece);
  if (begun_.size() >= longest_line) end_line(lines);
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
