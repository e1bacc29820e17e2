// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <stack>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace coterie::detail {

/// How the codec treats a type of the standard library. One line here makes a type travel by the
/// code in `save_value.hpp` and `load_value.hpp`, and makes `travel_check.hpp` look inside it.
enum class kind {
  other,       ///< not listed: a scalar, an aggregate, or what has cereal functions
  text,        ///< `std::string`
  text_view,   ///< `std::string_view`: travels as text, arrives as a view
  path,        ///< `std::filesystem::path`
  vector,      ///< one block if the elements are raw values, else element by element
  bits,        ///< `std::vector<bool>`
  span,        ///< travels as a vector, arrives as a view
  sequence,    ///< grows at the end, one element at a time
  chain,       ///< `std::forward_list`: grows behind its last element
  set,         ///< elements that are inserted
  map,         ///< keys and values that are inserted
  array,       ///< a fixed number of elements: `std::array`
  tuple,       ///< `std::tuple`, `std::pair`
  optional,    ///< a flag, then perhaps a value
  variant,     ///< an index, then the alternative
  duration,    ///< of `std::chrono`
  time_point,  ///< of `std::chrono`
  unique,      ///< `std::unique_ptr` with the default deleter; by cereal if it makes the pointee
  adaptor,     ///< cereal's own code; the elements are looked at
  shared,      ///< cereal's own code, which keeps the identity of the pointee
  pointee,     ///< what a smart pointer owns
  reference,   ///< `std::reference_wrapper`: does not travel
  refused,     ///< pointers to arrays: their length is not known
};

/// The types of the values inside a value.
template <class... T>
struct types {};

template <kind K, class... Parts>
struct kind_entry {
  static constexpr kind value = K;
  using parts = types<Parts...>;
};

template <class T>
struct kind_traits : kind_entry<kind::other> {};

/// Stands for the `T` that a smart pointer owns, which cereal may make in other ways than other
/// values.
template <class T>
struct pointee {};

/// A path whose characters are bytes. Known by its members, because <filesystem> is a large header
/// that few programs need; paths of Boost.Filesystem travel too.
template <class T>
concept native_path = requires(const T& path) {
  { path.native() } -> std::same_as<const std::string&>;
  { path.is_absolute() } -> std::same_as<bool>;
  { path.root_directory() } -> std::same_as<T>;
};

// clang-format off
template <class A> struct kind_traits<std::basic_string<char, std::char_traits<char>, A>> : kind_entry<kind::text> {};
template <> struct kind_traits<std::string_view> : kind_entry<kind::text_view> {};
template <native_path T> struct kind_traits<T> : kind_entry<kind::path> {};
template <class T, class A> struct kind_traits<std::vector<T, A>> : kind_entry<kind::vector, T> {};
template <class A> struct kind_traits<std::vector<bool, A>> : kind_entry<kind::bits> {};
template <class T, std::size_t N> struct kind_traits<std::span<T, N>> : kind_entry<kind::span, std::remove_const_t<T>> {};
template <class T, class A> struct kind_traits<std::deque<T, A>> : kind_entry<kind::sequence, T> {};
template <class T, class A> struct kind_traits<std::list<T, A>> : kind_entry<kind::sequence, T> {};
template <class T, class A> struct kind_traits<std::forward_list<T, A>> : kind_entry<kind::chain, T> {};
template <class T, class C, class A> struct kind_traits<std::set<T, C, A>> : kind_entry<kind::set, T> {};
template <class T, class C, class A> struct kind_traits<std::multiset<T, C, A>> : kind_entry<kind::set, T> {};
template <class T, class H, class E, class A> struct kind_traits<std::unordered_set<T, H, E, A>> : kind_entry<kind::set, T> {};
template <class T, class H, class E, class A> struct kind_traits<std::unordered_multiset<T, H, E, A>> : kind_entry<kind::set, T> {};
template <class K, class T, class C, class A> struct kind_traits<std::map<K, T, C, A>> : kind_entry<kind::map, K, T> {};
template <class K, class T, class C, class A> struct kind_traits<std::multimap<K, T, C, A>> : kind_entry<kind::map, K, T> {};
template <class K, class T, class H, class E, class A> struct kind_traits<std::unordered_map<K, T, H, E, A>> : kind_entry<kind::map, K, T> {};
template <class K, class T, class H, class E, class A> struct kind_traits<std::unordered_multimap<K, T, H, E, A>> : kind_entry<kind::map, K, T> {};
template <class T, std::size_t N> struct kind_traits<std::array<T, N>> : kind_entry<kind::array, T> {};
template <class T, class U> struct kind_traits<std::pair<T, U>> : kind_entry<kind::tuple, T, U> {};
template <class... T> struct kind_traits<std::tuple<T...>> : kind_entry<kind::tuple, T...> {};
template <class T> struct kind_traits<std::optional<T>> : kind_entry<kind::optional, T> {};
template <class... T> struct kind_traits<std::variant<T...>> : kind_entry<kind::variant, T...> {};
template <> struct kind_traits<std::monostate> : kind_entry<kind::tuple> {};
template <class R, class P> struct kind_traits<std::chrono::duration<R, P>> : kind_entry<kind::duration, R> {};
template <class C, class D> struct kind_traits<std::chrono::time_point<C, D>> : kind_entry<kind::time_point, D> {};
template <class T, class C> struct kind_traits<std::queue<T, C>> : kind_entry<kind::adaptor, T> {};
template <class T, class C> struct kind_traits<std::stack<T, C>> : kind_entry<kind::adaptor, T> {};
template <class T, class Q, class C> struct kind_traits<std::priority_queue<T, Q, C>> : kind_entry<kind::adaptor, T> {};
template <class T> struct kind_traits<std::unique_ptr<T>> : kind_entry<kind::unique, pointee<std::remove_const_t<T>>> {};
template <class T> struct kind_traits<std::unique_ptr<T[]>> : kind_entry<kind::refused> {};
template <class T> struct kind_traits<std::shared_ptr<T[]>> : kind_entry<kind::refused> {};
template <class T> struct kind_traits<std::shared_ptr<T>> : kind_entry<kind::shared, pointee<std::remove_const_t<T>>> {};
template <class T> struct kind_traits<std::weak_ptr<T>> : kind_entry<kind::shared, pointee<std::remove_const_t<T>>> {};
template <class T> struct kind_traits<pointee<T>> : kind_entry<kind::pointee, T> {};
template <class T> struct kind_traits<std::reference_wrapper<T>> : kind_entry<kind::reference> {};
// clang-format on

/// How the codec treats `T`.
template <class T>
inline constexpr kind kind_of = kind_traits<T>::value;

/// The types inside `T` that the codec meets when it writes or reads a `T` of a known kind.
template <class T>
using parts_of = typename kind_traits<T>::parts;

}  // namespace coterie::detail
