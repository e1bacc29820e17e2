// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>

#include <cereal/cereal.hpp>
#include <cereal/types/memory.hpp>

#include <coterie/detail/aggregate.hpp>
#include <coterie/detail/cereal_config.hpp>
#include <coterie/detail/reader.hpp>
#include <coterie/detail/travel_check.hpp>
#include <coterie/detail/writer.hpp>

// The archives that user-written cereal functions see. Values that cereal has no part in never get
// here: `save_value` and `load_value` take a bare `writer` or `reader` then, which costs nothing to
// make.

namespace coterie::detail {

/// What cereal's own functions pass to an archive and only its base class understands.
template <class T>
inline constexpr bool handled_by_archive_base = false;
template <class T>
inline constexpr bool handled_by_archive_base<cereal::base_class<T>> = true;
template <class T>
inline constexpr bool handled_by_archive_base<cereal::virtual_base_class<T>> = true;
template <class T>
inline constexpr bool handled_by_archive_base<cereal::DeferredData<T>> = true;
template <class T>
inline constexpr bool handled_by_archive_base<cereal::memory_detail::PtrWrapper<T>> = true;
template <class A, class T>
inline constexpr bool
    handled_by_archive_base<cereal::memory_detail::LoadAndConstructLoadWrapper<A, T>> = true;

template <class Out, class T>
void save_value(Out& out, const T& value);

template <class In, class T>
void load_value(In& in, T& value);

/// A cereal archive that writes to a `byte_buffer`. Give it values as to any archive (`archive(a,
/// b)`, `archive & a`, `archive << a`), then call `finish`.
///
/// Errors: `std::bad_alloc`, `std::length_error`, and whatever a user's function throws.
class output_archive
    : public writer,
      public cereal::OutputArchive<output_archive, cereal::AllowEmptyClassElision> {
  using base = cereal::OutputArchive<output_archive, cereal::AllowEmptyClassElision>;

 public:
  explicit output_archive(byte_buffer& buffer) : writer(buffer), base(this) {}

  // These hide cereal's: the codec's own code is faster for the types it knows, and quicker to
  // compile.
  template <class... T>
  output_archive& operator()(T&&... values) {
    (save(values), ...);
    return *this;
  }

  template <class T>
  output_archive& operator&(const T& value) {
    save(value);
    return *this;
  }

  template <class T>
  output_archive& operator<<(const T& value) {
    save(value);
    return *this;
  }

  /// Writes `value` by the cereal function that was made for its type.
  template <class T>
  void through_cereal(const T& value) {
    base::operator()(value);
  }

 private:
  template <class T>
  void save(const cereal::NameValuePair<T>& pair) {
    save(pair.value);
  }

  template <class T>
  void save(const cereal::SizeTag<T>& tag) {
    put_size(static_cast<std::size_t>(tag.size));
  }

  template <class T>
  void save(const cereal::BinaryData<T>& bytes) {
    put_bytes(bytes.data, static_cast<std::size_t>(bytes.size));
  }

  template <class T>
  void save(const T& value) {
    if constexpr (handled_by_archive_base<T>)
      through_cereal(value);
    else if constexpr (check_travels<T, true>())
      save_value(*this, value);
  }
};

/// A cereal archive that reads from bytes, and believes none of them before it has looked.
///
/// Errors: `decode_error`, `cereal::Exception`, and whatever a user's function throws; the values
/// read so far then have some valid state.
class input_archive : public reader,
                      public cereal::InputArchive<input_archive, cereal::AllowEmptyClassElision> {
  using base = cereal::InputArchive<input_archive, cereal::AllowEmptyClassElision>;

 public:
  /// `message` must stay where it is while the archive reads, and as long as views into it are
  /// used.
  explicit input_archive(std::span<const std::byte> message) : reader(message), base(this) {}

  template <class... T>
  input_archive& operator()(T&&... values) {
    (load(values), ...);
    return *this;
  }

  template <class T>
  input_archive& operator&(T&& value) {
    load(value);
    return *this;
  }

  template <class T>
  input_archive& operator>>(T&& value) {
    load(value);
    return *this;
  }

  /// Reads `value` by the cereal function that was made for its type.
  template <class T>
  void through_cereal(T& value) {
    base::operator()(value);
  }

  /// For cereal: remembers what a shared pointer points to. Hides cereal's own.
  void registerSharedPointer(std::uint32_t id, std::shared_ptr<void> pointer) {
    pointer_types_[id & ~cereal::detail::msb_32bit] = pointer_type_;
    base::registerSharedPointer(id, std::move(pointer));
  }

  /// For cereal: the pointer of that number. cereal casts it to the type that it expects, so a
  /// wrong number must not give it a pointer to another type.
  std::shared_ptr<void> getSharedPointer(std::uint32_t id) {
    std::shared_ptr<void> pointer = base::getSharedPointer(id);
    if (pointer != nullptr && *pointer_types_[id] != *pointer_type_)
      throw_decode_error("message refers to a shared object of another type");
    return pointer;
  }

 private:
  template <class T>
  void load(cereal::NameValuePair<T>& pair) {
    load(pair.value);
  }

  template <class T>
  void load(cereal::SizeTag<T>& tag) {
    tag.size = get_size();
  }

  template <class T>
  void load(cereal::BinaryData<T>& bytes) {
    get_bytes(bytes.data, bytes.size);
  }

  template <class T>
  void load(cereal::memory_detail::PtrWrapper<std::shared_ptr<T>&>& wrapper) {
    check_nesting();
    pointer_type_ = &typeid(T);
    through_cereal(wrapper);
  }

  template <class T>
  void load(T& value) {
    if constexpr (handled_by_archive_base<T>)
      through_cereal(value);
    else if constexpr (check_travels<T, true>())
      load_value(*this, value);
  }

  const std::type_info* pointer_type_ = nullptr;
  std::unordered_map<std::uint32_t, const std::type_info*> pointer_types_;
};

// What follows is found by cereal itself where it asks for functions instead of calling the
// archive: for class versions, minimal functions and base classes.

template <class T>
  requires std::is_arithmetic_v<T>
void save(output_archive& archive, const T& value) {
  archive(value);
}

template <class T>
  requires std::is_arithmetic_v<T>
void load(input_archive& archive, T& value) {
  archive(value);
}

template <class T>
void save(output_archive& archive, const cereal::NameValuePair<T>& pair) {
  archive(pair);
}

template <class T>
void load(input_archive& archive, cereal::NameValuePair<T>& pair) {
  archive(pair);
}

template <class T>
void save(output_archive& archive, const cereal::SizeTag<T>& tag) {
  archive(tag);
}

template <class T>
void load(input_archive& archive, cereal::SizeTag<T>& tag) {
  archive(tag);
}

template <class T>
void save(output_archive& archive, const cereal::BinaryData<T>& bytes) {
  archive(bytes);
}

template <class T>
void load(input_archive& archive, cereal::BinaryData<T>& bytes) {
  archive(bytes);
}

template <plain_aggregate T>
void save(output_archive& archive, const T& value) {
  archive(value);
}

template <plain_aggregate T>
void load(input_archive& archive, T& value) {
  archive(value);
}

}  // namespace coterie::detail

CEREAL_REGISTER_ARCHIVE(coterie::detail::output_archive)
CEREAL_REGISTER_ARCHIVE(coterie::detail::input_archive)
CEREAL_SETUP_ARCHIVE_TRAITS(coterie::detail::input_archive, coterie::detail::output_archive)
