// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>

#include <coterie/detail/aggregate.hpp>
#include <coterie/detail/block.hpp>
#include <coterie/detail/cereal_probe.hpp>
#include <coterie/detail/type_kind.hpp>

namespace coterie::detail {

/// What is known of a type, with all that is inside it, when it is about to travel.
struct travel_facts {
  bool pointer = false;         ///< a raw pointer or reference is inside
  bool unknown = false;         ///< something inside has no way of being written and read
  bool not_made_first = false;  ///< something inside cannot be default-constructed and then moved
  bool view = false;            ///< what arrives refers to the bytes of the message
  bool through_cereal = false;  ///< something inside needs a whole cereal archive

  friend consteval travel_facts operator|(travel_facts a, travel_facts b) {
    return {a.pointer || b.pointer, a.unknown || b.unknown, a.not_made_first || b.not_made_first,
            a.view || b.view, a.through_cereal || b.through_cereal};
  }

  consteval bool travels() const { return !pointer && !unknown && !not_made_first; }
};

/// Whether cereal is asked about `T` at all: not about what the codec knows itself, so that which
/// of cereal's headers a program includes makes no difference.
template <class T>
inline constexpr bool has_functions_of_its_own = [] {
  if constexpr (std::is_class_v<T> && kind_of<T> == kind::other)
    return has_cereal_functions<T>;
  else
    return std::is_union_v<T> && has_cereal_functions<T>;
}();

/// Whether a smart pointer's `T` is made by cereal: it is polymorphic, or made from its fields at
/// once.
template <class T>
inline constexpr bool made_by_cereal = [] {
  if constexpr (std::is_polymorphic_v<T>)
    return true;
  else if constexpr (std::is_class_v<T>)
    return cereal::traits::has_load_and_construct<T, probe::input_archive>::value;
  else
    return false;
}();

/// Whether a smart pointer's `T` is written and read by the codec itself.
template <class T>
inline constexpr bool pointed_to_natively = !made_by_cereal<T> && !has_functions_of_its_own<T>;

template <class T>
consteval auto find_children() {
  if constexpr (std::is_array_v<T>) {
    return types<std::remove_extent_t<T>>();
  } else if constexpr (kind_of<T> == kind::pointee) {
    return []<class Pointee>(types<Pointee>) {
      if constexpr (made_by_cereal<Pointee>)
        return types<>();
      else
        return types<Pointee>();
    }(parts_of<T>());
  } else if constexpr (kind_of<T> != kind::other) {
    return parts_of<T>();
  } else if constexpr (!std::is_class_v<T> || std::is_empty_v<T>) {
    return types<>();
  } else if constexpr (plain_aggregate<T>) {
    return field_types<T>();
  } else {
    return types<>();
  }
}

/// The types directly inside `T` that the codec looks at.
template <class T>
using children_of = decltype(find_children<T>());

template <class T>
inline constexpr bool made_first =
    std::is_array_v<T> || kind_of<T> == kind::pointee ||
    (std::is_default_constructible_v<T> && std::is_move_constructible_v<T>);

/// What `T` itself, whatever is inside, adds to the facts.
template <class T>
consteval travel_facts facts_at() {
  constexpr kind k = kind_of<T>;
  if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_function_v<T> ||
                std::is_reference_v<T> || std::is_null_pointer_v<T> || k == kind::reference) {
    return {.pointer = true};
  } else if constexpr (std::is_const_v<T> || std::is_volatile_v<T> || std::is_void_v<T> ||
                       k == kind::refused || std::is_unbounded_array_v<T>) {
    return {.unknown = true};
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_array_v<T>) {
    return {};
  } else if constexpr (k == kind::span) {
    return []<class Element>(types<Element>) {
      return travel_facts{
          .unknown = !block_copyable<Element>, .not_made_first = !made_first<T>, .view = true};
    }(parts_of<T>());
  } else if constexpr (k == kind::text_view) {
    return {.view = true};
  } else if constexpr (k == kind::unique) {
    return []<class T1>(types<pointee<T1>>) {
      return travel_facts{.through_cereal = !pointed_to_natively<T1>};
    }(parts_of<T>());
  } else if constexpr (k == kind::shared || k == kind::adaptor) {
    return {.not_made_first = !made_first<T>, .through_cereal = true};
  } else if constexpr (k != kind::other) {
    return {.not_made_first = !made_first<T>};
  } else if constexpr (!std::is_class_v<T> && !std::is_union_v<T>) {
    return {.unknown = true};
  } else if constexpr (has_functions_of_its_own<T>) {
    return {.unknown = !(has_cereal_output<T> && has_cereal_input<T>),
            .not_made_first = !made_first<T>,
            .through_cereal = true};
  } else if constexpr (std::is_empty_v<T> || complex_number<T>) {
    return {.not_made_first = !made_first<T>};
  } else if constexpr (aggregate_without_functions<T> && !made_first<T>) {
    return {.not_made_first = true};
  } else {
    return {.unknown = !plain_aggregate<T>};
  }
}

template <class T, class... Outer>
consteval travel_facts examine();

template <class... Outer, class... Child>
consteval travel_facts examine_all(types<Child...>) {
  return (travel_facts() | ... | examine<Child, Outer...>());
}

// `Outer` are the aggregates that are being looked at: one that holds a vector of itself ends here.
template <class T, class... Outer>
consteval travel_facts examine() {
  if constexpr ((std::is_same_v<T, Outer> || ...))
    return {};
  else if constexpr (kind_of<T> == kind::other && std::is_class_v<T>)
    return facts_at<T>() | examine_all<T, Outer...>(children_of<T>());
  else
    return facts_at<T>() | examine_all<Outer...>(children_of<T>());
}

/// Everything known about `T` before it travels.
template <class T>
inline constexpr travel_facts facts_of = examine<T>();

/// Whether a `T` can be written and read back.
template <class T>
concept travels = facts_of<std::remove_cv_t<T>>.travels();

template <class T>
struct culprit {
  using type = T;
};

template <bool travel_facts::* Fact, class T, class... Outer>
consteval auto find_culprit();

template <bool travel_facts::* Fact, class T, class... Outer>
consteval auto find_culprit_among(types<>) {
  return culprit<T>();
}

template <bool travel_facts::* Fact, class T, class... Outer, class Child, class... Others>
consteval auto find_culprit_among(types<Child, Others...>) {
  constexpr travel_facts found = examine<Child, T, Outer...>();
  if constexpr (found.*Fact)
    return find_culprit<Fact, Child, T, Outer...>();
  else
    return find_culprit_among<Fact, T, Outer...>(types<Others...>());
}

/// The innermost type in `T` that makes `Fact` true. Asked only to make an error message.
template <bool travel_facts::* Fact, class T, class... Outer>
consteval auto find_culprit() {
  return find_culprit_among<Fact, T, Outer...>(children_of<T>());
}

template <class>
inline constexpr bool never = false;

template <class Culprit, class Sent>
consteval void refuse_pointer() {
  static_assert(
      never<Culprit>,
      "coterie: a raw pointer or reference cannot travel to another process: send the value "
      "itself, a std::string, a std::vector, or a smart pointer that owns the value");
}

template <class Culprit, class Sent>
consteval void refuse_unknown() {
  constexpr bool looks_plain = aggregate_without_functions<Culprit>;
  static_assert(
      !looks_plain,
      "coterie: the fields of this struct cannot be told: it has more than 100, a base class, or "
      "beside a large array one without an implicit default constructor; give it a cereal "
      "serialize function");
  static_assert(
      looks_plain,
      "coterie: this type cannot travel: give it a cereal serialize function, or make it a "
      "plain aggregate (a struct without constructors, base classes, or private or const "
      "members)");
}

template <class Culprit, class Sent>
consteval void refuse_not_made_first() {
  static_assert(
      never<Culprit>,
      "coterie: a value that travels must be default-constructible and movable, and hold no "
      "references: give it a default constructor, or send it in a std::unique_ptr and give it "
      "cereal's load_and_construct");
}

/// True if `T` travels. If not, one `static_assert` says why; the compiler's notes name the type
/// inside `T` that is the reason. A `T` that `Exists` already, made by cereal, need not be made
/// first.
template <class T, bool Exists = false>
consteval bool check_travels() {
  constexpr travel_facts facts = facts_of<T>;
  if constexpr (facts.pointer) {
    refuse_pointer<typename decltype(find_culprit<&travel_facts::pointer, T>())::type, T>();
    return false;
  } else if constexpr (facts.unknown) {
    refuse_unknown<typename decltype(find_culprit<&travel_facts::unknown, T>())::type, T>();
    return false;
  } else if constexpr (facts.not_made_first && !(Exists && !made_first<T>)) {
    using reason = typename decltype(find_culprit<&travel_facts::not_made_first, T>())::type;
    refuse_not_made_first<reason, T>();
    return false;
  } else {
    return true;
  }
}

}  // namespace coterie::detail
