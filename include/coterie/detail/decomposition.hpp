// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <utility>

#include <boost/preprocessor/repetition/enum_params.hpp>
#include <boost/preprocessor/repetition/repeat.hpp>
#include <boost/preprocessor/repetition/repeat_from_to.hpp>

// C++20 has no structured binding of a number of names that a template chooses, nor a pack of empty
// lists: the preprocessor writes one of each for every number of fields.

namespace coterie::detail {

/// The largest number of fields that are taken apart.
inline constexpr std::size_t most_fields = 100;

/// Takes an aggregate of `Count` fields apart, and knows whether `Count` empty lists initialise
/// one.
template <std::size_t Count>
struct decomposition;

// A list may end with a comma.
#define COTERIE_DETAIL_LIST(z, n, data) {},
#define COTERIE_DETAIL_DECOMPOSITION(z, n, data)                                           \
  template <>                                                                              \
  struct decomposition<n> {                                                                \
    template <class T>                                                                     \
    static constexpr bool takes_lists =                                                    \
        requires { T{BOOST_PP_REPEAT(n, COTERIE_DETAIL_LIST, data)}; };                    \
                                                                                           \
    template <class T, class Value>                                                        \
    static constexpr bool takes_value_behind =                                             \
        requires { T{BOOST_PP_REPEAT(n, COTERIE_DETAIL_LIST, data) Value{}}; };            \
                                                                                           \
    template <class T, class Visit>                                                        \
    [[gnu::always_inline]] static constexpr decltype(auto) visit(T& value, Visit&& with) { \
      auto& [BOOST_PP_ENUM_PARAMS_Z(z, n, field)] = value;                                 \
      return std::forward<Visit>(with)(BOOST_PP_ENUM_PARAMS_Z(z, n, field));               \
    }                                                                                      \
  };

BOOST_PP_REPEAT_FROM_TO(1, 101, COTERIE_DETAIL_DECOMPOSITION, )

#undef COTERIE_DETAIL_DECOMPOSITION
#undef COTERIE_DETAIL_LIST

}  // namespace coterie::detail
