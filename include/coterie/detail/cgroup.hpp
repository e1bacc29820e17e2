// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <optional>

namespace coterie::detail {

/// The CPUs that the control groups of this process allow it, as a fraction: the smallest quota on
/// the way from its own group up to the root of each hierarchy that is mounted. Empty if there is
/// no quota.
///
/// `root` stands before every path that is read (`/proc/self/cgroup`, `/proc/self/mountinfo` and
/// the hierarchies themselves), so that tests can lay out a tree of their own.
/// Errors: throws `std::bad_alloc` only; what cannot be read or makes no sense sets no limit.
std::optional<double> cgroup_cpu_quota(const std::filesystem::path& root);

/// The CPUs in the affinity mask of this process, at least 1.
int cpus_in_affinity_mask();

/// The whole CPUs that both limits leave, at least 1. A part of a CPU counts as a whole one.
int cpus_within(int affinity, std::optional<double> quota) noexcept;

}  // namespace coterie::detail
