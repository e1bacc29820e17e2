// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/stat.h>

#include <optional>

namespace coterie::detail {

/// Which file a path or a descriptor stands for. A descriptor's number says less: it can be closed,
/// and given to another file.
class file_identity {
 public:
  /// Empty if there is no such file, or it cannot be looked at.
  static std::optional<file_identity> of(const char* path) noexcept {
    struct stat file{};
    return ::stat(path, &file) == 0 ? std::optional{file_identity{file}} : std::nullopt;
  }
  /// Empty if the descriptor is closed.
  static std::optional<file_identity> of(int descriptor) noexcept {
    struct stat file{};
    return ::fstat(descriptor, &file) == 0 ? std::optional{file_identity{file}} : std::nullopt;
  }

  bool operator==(const file_identity&) const = default;

 private:
  explicit file_identity(const struct stat& file) noexcept
      : device_{file.st_dev}, number_{file.st_ino} {}

  dev_t device_;
  ino_t number_;
};

}  // namespace coterie::detail
