// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "contender.hpp"

namespace bench {

/// The times of single calls, one after the other: so many, or as many as fit into some seconds.
/// The first ones warm up, and are not counted.
class call_times {
 public:
  std::int64_t calls = 20'000;
  std::int64_t seconds = 2;

  [[nodiscard]] std::vector<option> options(std::vector<option> more = {}) {
    more.push_back({"calls", &calls, "Calls that are measured"});
    more.push_back({"seconds", &seconds, "The longest that it may take"});
    return more;
  }

  /// Whether another call is to be made.
  [[nodiscard]] bool more() const {
    return std::cmp_less(times_.size(), calls) &&
           (times_.size() < 10 || watch_.seconds() < static_cast<double>(seconds));
  }

  void add(double time) {
    if (warm_up_ < 1 + calls / 10 && watch_.seconds() < 0.1 * static_cast<double>(seconds)) {
      ++warm_up_;
      return;
    }
    times_.push_back(time);
  }

  void print() const {
    bench::print({{"median_seconds", quantile(times_, 0.5)},
                  {"p99_seconds", quantile(times_, 0.99)},
                  {"calls", static_cast<double>(times_.size())}});
  }

 private:
  std::int64_t warm_up_ = 0;
  stopwatch watch_;
  std::vector<double> times_;
};

}  // namespace bench
