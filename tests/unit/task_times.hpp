// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

/// How long the items of a made-up job take.
namespace task_times {

using std::chrono::nanoseconds;
using times = std::vector<nanoseconds>;

inline nanoseconds scaled(nanoseconds unit, double factor) {
  return nanoseconds{std::llround(static_cast<double>(unit.count()) * factor)};
}

/// Drawn at random, always the same: `draw` makes a time of a number from 0 to 1.
template <class Draw>
times drawn(std::size_t count, Draw draw) {
  std::mt19937_64 random{1};
  times all;
  for (; count > 0; --count) {
    all.push_back(draw(static_cast<double>(random() >> 11U) * 0x1p-53));
  }
  return all;
}

inline times even(std::size_t count, nanoseconds each) { return times(count, each); }

/// From `least` to 1000 times that; as many from 1 to 10 times as from 100 to 1000 times.
inline times uneven(std::size_t count, nanoseconds least) {
  return drawn(count, [=](double number) { return scaled(least, std::pow(1000.0, number)); });
}

inline times growing(std::size_t count, nanoseconds least) {
  times all = uneven(count, least);
  std::ranges::sort(all);
  return all;
}

inline times shrinking(std::size_t count, nanoseconds least) {
  times all = growing(count, least);
  std::ranges::reverse(all);
  return all;
}

/// Pareto's law, cut off at 10,000 times the least: 1 of 30 takes 10 times as long, and 1 of 1000
/// takes 100 times.
inline times pareto(std::size_t count, nanoseconds least) {
  return drawn(count, [=](double number) {
    return scaled(least, std::min(std::pow(1.0 - number, -1 / 1.5), 1e4));
  });
}

/// One in a thousand takes a thousand times as long as the others.
inline times outliers(std::size_t count, nanoseconds each) {
  return drawn(count, [=](double number) { return number < 0.001 ? 1000 * each : each; });
}

}  // namespace task_times
