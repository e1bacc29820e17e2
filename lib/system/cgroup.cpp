// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/cgroup.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace coterie::detail {
namespace {

namespace fs = std::filesystem;

/// One mounted hierarchy: version 2, or version 1 with the `cpu` controller.
struct hierarchy {
  bool unified = false;
  std::string group_at_mount;  // what of the hierarchy is seen at the mount point
  fs::path mount_point;
};

std::vector<std::string> lines_of(const fs::path& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool names(std::string_view comma_separated, std::string_view wanted) {
  const std::vector<std::string_view> parts = split(comma_separated, ',');
  return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// `mountinfo` writes blanks, tabs, newlines and backslashes as a backslash and three octal digits.
std::string unescaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    unsigned code = 0;
    if (text.size() >= 4 && text[0] == '\\' &&
        std::from_chars(text.data() + 1, text.data() + 4, code, 8).ptr == text.data() + 4) {
      result += static_cast<char>(code);
      text.remove_prefix(4);
    } else {
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

/// "36 35 98:0 /root /mount/point rw,noatime master:1 - type source rw,super,options"
std::optional<hierarchy> parse_mount(const std::string& line) {
  const std::vector<std::string_view> words = split(line, ' ');
  const auto dash = std::find(words.begin(), words.end(), "-");
  if (dash - words.begin() < 5 || words.end() - dash < 4) return std::nullopt;
  const bool unified = dash[1] == "cgroup2";
  if (!unified && !(dash[1] == "cgroup" && names(dash[3], "cpu"))) return std::nullopt;
  return hierarchy{unified, unescaped(words[3]), unescaped(words[4])};
}

/// The group of this process in the hierarchy, from "4:cpu,cpuacct:/group", or "0::/group" for
/// version 2.
std::optional<std::string> group_of(const std::string& line, const hierarchy& mounted) {
  const std::size_t first = line.find(':');
  if (first == std::string::npos) return std::nullopt;
  const std::size_t second = line.find(':', first + 1);
  if (second == std::string::npos) return std::nullopt;
  const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
  const bool same = mounted.unified ? controllers.empty() : names(controllers, "cpu");
  if (!same) return std::nullopt;
  return line.substr(second + 1);
}

/// The quota that is set at this very group.
std::optional<double> quota_at(const fs::path& directory, bool unified) {
  std::optional<std::int64_t> quota;
  std::optional<std::int64_t> period;
  if (unified) {
    const std::vector<std::string> lines = lines_of(directory / "cpu.max");
    if (lines.empty()) return std::nullopt;
    const std::vector<std::string_view> words = split(lines.front(), ' ');
    quota = number(words[0]);  // "max" is no number: no limit
    period = words.size() > 1 ? number(words[1]) : 100'000;
  } else {
    const std::vector<std::string> quotas = lines_of(directory / "cpu.cfs_quota_us");
    const std::vector<std::string> periods = lines_of(directory / "cpu.cfs_period_us");
    if (quotas.empty() || periods.empty()) return std::nullopt;
    quota = number(quotas.front());  // -1 is no limit
    period = number(periods.front());
  }
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

/// The path from the mount point down to the group.
fs::path below_mount(const std::string& group, const std::string& group_at_mount) {
  fs::path relative = fs::path(group).lexically_relative(group_at_mount);
  // A container that sees its own group as the mount's root, or a group outside of what is mounted:
  // the mount point is the nearest that can be seen.
  if (relative.empty() || *relative.begin() == "..") return ".";
  return relative;
}

std::optional<double> smaller(std::optional<double> left, std::optional<double> right) {
  if (!left || !right) return left ? left : right;
  return std::min(*left, *right);
}

std::optional<double> smallest_quota(const fs::path& mount_point, const fs::path& group,
                                     bool unified) {
  fs::path directory = mount_point;
  std::optional<double> smallest = quota_at(directory, unified);
  for (const fs::path& step : group) {
    directory /= step;
    smallest = smaller(smallest, quota_at(directory, unified));
  }
  return smallest;
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const fs::path& root) {
  const std::vector<std::string> memberships = lines_of(root / "proc/self/cgroup");
  std::optional<double> smallest;
  for (const std::string& line : lines_of(root / "proc/self/mountinfo")) {
    const std::optional<hierarchy> mounted = parse_mount(line);
    if (!mounted) continue;
    const fs::path mount_point = root / mounted->mount_point.relative_path();
    for (const std::string& membership : memberships) {
      const std::optional<std::string> group = group_of(membership, *mounted);
      if (!group) continue;
      smallest = smaller(smallest,
                         smallest_quota(mount_point, below_mount(*group, mounted->group_at_mount),
                                        mounted->unified));
    }
  }
  return smallest;
}

}  // namespace coterie::detail
