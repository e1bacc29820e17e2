// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coterie::detail {

/// Whether this process was started with rights that its user does not have (`AT_SECURE`): by a
/// set-user-ID or set-group-ID file, or one with capabilities. It then believes nothing of its
/// environment.
bool started_with_more_rights() noexcept;

/// What a start of this program's file would give to a worker.
enum class worker_rights {
  as_here,       // what this process has
  none_to_gain,  // more, unless the worker may gain none (`PR_SET_NO_NEW_PRIVS`)
  // It would start as a privileged program does, and believe nothing: real and effective user or
  // group differ, or the file has capabilities, for which the kernel sets AT_SECURE even where none
  // are gained.
  undecided,
};
worker_rights start_rights() noexcept;

}  // namespace coterie::detail
