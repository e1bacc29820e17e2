// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>

#include <cereal/cereal.hpp>

#include <coterie/detail/cereal_config.hpp>

// Answers "are there cereal functions for this type?". The question is asked with archives
// that only exist for it: asked with coterie's own archives, it would find the functions that
// coterie makes for plain aggregates, and those ask this question.

namespace coterie::detail::probe {

struct output_archive : cereal::OutputArchive<output_archive, cereal::AllowEmptyClassElision> {
  output_archive() : OutputArchive(this) {}
};

struct input_archive : cereal::InputArchive<input_archive, cereal::AllowEmptyClassElision> {
  input_archive() : InputArchive(this) {}
};

// Some functions exist only for archives that take these.

template <class T>
void save(output_archive&, const cereal::BinaryData<T>&);

template <class T>
void load(input_archive&, cereal::BinaryData<T>&);

template <class T>
  requires std::is_arithmetic_v<T>
void save(output_archive&, const T&);

template <class T>
  requires std::is_arithmetic_v<T>
void load(input_archive&, T&);

}  // namespace coterie::detail::probe

CEREAL_SETUP_ARCHIVE_TRAITS(coterie::detail::probe::input_archive,
                            coterie::detail::probe::output_archive)

namespace coterie::detail {

/// Whether `T` has cereal functions that write it: `serialize`, `save` or `save_minimal`, as
/// members or found by argument-dependent lookup, with a class version or without.
template <class T>
inline constexpr bool has_cereal_output =
    cereal::traits::detail::count_output_serializers<T, probe::output_archive>::value != 0;

/// Whether `T` has cereal functions that read it.
template <class T>
inline constexpr bool has_cereal_input =
    cereal::traits::detail::count_input_serializers<T, probe::input_archive>::value != 0;

/// Whether `T` has cereal functions of its own, of any kind.
template <class T>
inline constexpr bool has_cereal_functions = has_cereal_output<T> || has_cereal_input<T>;

}  // namespace coterie::detail
