// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>

#include "unit/codec_samples.hpp"

namespace fuzz {

/// Types of results, of every kind that the codec knows. An input names them by their place: add at
/// the end.
using result_types = std::tuple<
    std::int64_t, bool, samples::point, std::string, std::vector<bool>, std::vector<double>,
    std::vector<std::string>, std::vector<std::vector<std::vector<int>>>,
    std::optional<std::vector<int>>, std::variant<int, std::string, std::monostate>,
    std::map<int, std::vector<samples::point>>, std::unordered_map<std::string, int>,
    samples::company, samples::tree, samples::chain, samples::account,
    std::vector<std::shared_ptr<samples::account>>, std::vector<std::unique_ptr<samples::shape>>,
    std::unique_ptr<samples::celsius>, samples::versioned, samples::derived_from_aggregate,
    std::deque<samples::hidden>, std::set<std::string>, std::unordered_multiset<int>,
    std::forward_list<int>, std::queue<std::string>, std::bitset<70>, std::wstring,
    std::filesystem::path, std::tuple<std::chrono::nanoseconds, samples::colour, samples::answer>,
    std::vector<samples::nothing>>;

template <class R>
consteval int place_of() {
  return []<class... T>(std::type_identity<std::tuple<T...>>) {
    int place = 0;
    static_cast<void>(((std::is_same_v<R, T> || (++place, false)) || ...));
    return place;
  }(std::type_identity<result_types>());
}

/// Whether equal values may be written in different orders.
template <class R>
inline constexpr bool in_any_order = false;
template <class K, class T>
inline constexpr bool in_any_order<std::unordered_map<K, T>> = true;
template <class T>
inline constexpr bool in_any_order<std::unordered_multiset<T>> = true;

}  // namespace fuzz
