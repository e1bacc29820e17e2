// SPDX-License-Identifier: BSL-1.0
#include "contender.hpp"

#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace bench {

void parse(int argc, char** argv, const std::string& about, const std::vector<option>& options) {
  CLI::App app{about};
  for (const option& each : options) {
    std::visit(
        [&](auto* value) {
          app.add_option(std::string{"--"} + each.name, *value, each.help)->capture_default_str();
        },
        each.value);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    std::exit(app.exit(asked));
  } catch (const CLI::ParseError& problem) {
    fmt::print(stderr, "{}: {}\n", argv[0], problem.what());
    std::exit(2);
  }
}

void fail(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

void cannot_take_part(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(77);
}

void print(std::initializer_list<std::pair<const char*, double>> metrics) {
  std::string_view separator = "{";
  for (const auto& [name, value] : metrics) {
    fmt::print("{}\"{}\": {:.9g}", separator, name, value);
    separator = ", ";
  }
  fmt::print("}}\n");
  std::fflush(stdout);
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

bool no_child_left() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

double quantile(std::vector<double> values, double part) {
  if (values.empty()) fail("nothing was measured");
  const auto last = static_cast<double>(values.size() - 1);
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(part * last + 0.5);
  std::ranges::nth_element(values, place);
  return *place;
}

}  // namespace bench
