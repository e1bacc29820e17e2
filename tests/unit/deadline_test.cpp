// SPDX-License-Identifier: BSL-1.0

// When a limit has passed, whatever number it is.

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>

#include <catch2/catch.hpp>

#include <coterie/detail/deadline.hpp>

namespace {

using namespace std::chrono_literals;
using coterie::detail::deadline_after;
using clock = std::chrono::steady_clock;

constexpr clock::time_point now{1000h};
constexpr clock::time_point a_century_later = now + 100 * 365 * 24h;

template <class Rep, class Period>
void check_extremes() {
  using duration = std::chrono::duration<Rep, Period>;
  CHECK(deadline_after(now, duration::max()) == a_century_later);
  CHECK(deadline_after(now, duration::min()) == now);
  CHECK(deadline_after(now, duration::zero()) == now);
}

}  // namespace

TEST_CASE("given a limit, when its end is asked for, then it is that much later") {
  CHECK(deadline_after(now, 1ns) == now + 1ns);
  CHECK(deadline_after(now, 3s) == now + 3s);
  CHECK(deadline_after(now, 100 * 365 * 24h - 1s) == a_century_later - 1s);
}

TEST_CASE(
    "given a limit that lies between two ticks, when its end is asked for, then not earlier") {
  CHECK(deadline_after(now, std::chrono::duration<std::int64_t, std::pico>{1}) == now + 1ns);
  CHECK(deadline_after(now, std::chrono::duration<double>{1.5e-9}) == now + 2ns);
}

TEST_CASE("given any number of any unit, when its end is asked for, then it is now to a century") {
  check_extremes<std::int64_t, std::nano>();
  check_extremes<std::int64_t, std::ratio<1>>();
  check_extremes<std::int64_t, std::ratio<3600>>();
  check_extremes<std::int64_t, std::chrono::years::period>();
  check_extremes<std::uint64_t, std::milli>();
  check_extremes<double, std::ratio<1>>();
  check_extremes<float, std::pico>();
}

TEST_CASE("given what is no number, when its end is asked for, then it is now, or a century") {
  using seconds = std::chrono::duration<double>;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(deadline_after(now, seconds{infinity}) == a_century_later);
  CHECK(deadline_after(now, seconds{-infinity}) == now);
  CHECK(deadline_after(now, seconds{std::numeric_limits<double>::quiet_NaN()}) == now);
}
