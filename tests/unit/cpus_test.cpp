// SPDX-License-Identifier: BSL-1.0
#include <sched.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include <catch2/catch.hpp>

#include <coterie/cpus.hpp>
#include <coterie/detail/cgroup.hpp>

namespace {

namespace fs = std::filesystem;
using coterie::detail::cgroup_cpu_quota;

/// A made-up root folder, removed again at the end.
class file_tree {
 public:
  file_tree() {
    std::string pattern = (fs::temp_directory_path() / "coterie-cpus-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    root_ = pattern;
  }
  file_tree(const file_tree&) = delete;
  file_tree& operator=(const file_tree&) = delete;
  ~file_tree() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  file_tree& file(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
    return *this;
  }

  file_tree& membership(const std::string& text) { return file("proc/self/cgroup", text); }
  file_tree& mounts(const std::string& text) { return file("proc/self/mountinfo", text); }

  std::optional<double> quota() const { return cgroup_cpu_quota(root_); }

 private:
  fs::path root_;
};

const std::string version_2 =
    "22 1 0:5 / / rw,relatime - ext4 /dev/sda1 rw\n"
    "31 22 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

const std::string version_1 =
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";

}  // namespace

TEST_CASE("given no cgroup files at all, when the quota is read, then there is none") {
  CHECK_FALSE(file_tree().quota().has_value());
}

TEST_CASE(
    "given a version 2 group with a limit, when the quota is read, then it is their quotient") {
  file_tree tree;
  tree.membership("0::/app\n").mounts(version_2);
  tree.file("sys/fs/cgroup/app/cpu.max", "150000 100000\n");
  CHECK(tree.quota() == 1.5);
}

TEST_CASE("given a version 2 group without a limit, when the quota is read, then there is none") {
  file_tree tree;
  tree.membership("0::/app\n").mounts(version_2);
  tree.file("sys/fs/cgroup/app/cpu.max", "max 100000\n");
  CHECK_FALSE(tree.quota().has_value());
}

TEST_CASE("given a limit on a group further up, when the quota is read, then the smallest counts") {
  file_tree tree;
  tree.membership("0::/slice/service/app\n").mounts(version_2);
  tree.file("sys/fs/cgroup/slice/cpu.max", "400000 100000\n");
  tree.file("sys/fs/cgroup/slice/service/cpu.max", "200000 100000\n");
  tree.file("sys/fs/cgroup/slice/service/app/cpu.max", "max 100000\n");
  CHECK(tree.quota() == 2.0);
}

TEST_CASE("given a limit at the mount point itself, when the group is the root, then it counts") {
  file_tree tree;
  tree.membership("0::/\n").mounts(version_2);
  tree.file("sys/fs/cgroup/cpu.max", "50000 100000\n");
  CHECK(tree.quota() == 0.5);
}

TEST_CASE("given a limit on a sibling group, when the quota is read, then it does not count") {
  file_tree tree;
  tree.membership("0::/app\n").mounts(version_2);
  tree.file("sys/fs/cgroup/other/cpu.max", "100000 100000\n");
  CHECK_FALSE(tree.quota().has_value());
}

TEST_CASE("given version 1, when the quota is read, then cfs quota and period are used") {
  file_tree tree;
  tree.membership("5:cpuset:/app\n4:cpu,cpuacct:/app\n").mounts(version_1);
  tree.file("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us", "250000\n");
  tree.file("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us", "100000\n");
  CHECK(tree.quota() == 2.5);
}

TEST_CASE("given version 1 without a limit, when the quota is read, then there is none") {
  file_tree tree;
  tree.membership("4:cpu,cpuacct:/app\n").mounts(version_1);
  tree.file("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us", "-1\n");
  tree.file("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us", "100000\n");
  CHECK_FALSE(tree.quota().has_value());
}

TEST_CASE("given both versions mounted, when both limit, then the smaller counts") {
  file_tree tree;
  tree.membership("4:cpu,cpuacct:/app\n0::/app\n");
  tree.mounts(version_1 + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  tree.file("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us", "300000\n");
  tree.file("sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us", "100000\n");
  tree.file("sys/fs/cgroup/unified/app/cpu.max", "200000 100000\n");
  CHECK(tree.quota() == 2.0);
}

TEST_CASE(
    "given a container that sees its group as the mount's root, when the quota is read, then "
    "the mount point's limit counts") {
  file_tree tree;
  tree.membership("0::/docker/1234\n");
  tree.mounts("31 22 0:26 /docker/1234 /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  tree.file("sys/fs/cgroup/cpu.max", "100000 100000\n");
  CHECK(tree.quota() == 1.0);
}

TEST_CASE(
    "given a group outside of what is mounted, when the quota is read, then the mount point's "
    "limit counts") {
  file_tree tree;
  tree.membership("0::/../elsewhere\n").mounts(version_2);
  tree.file("sys/fs/cgroup/cpu.max", "100000 100000\n");
  tree.file("sys/fs/elsewhere/cpu.max", "1 100000\n");
  CHECK(tree.quota() == 1.0);
}

TEST_CASE(
    "given a mount point with a blank in its name, when the quota is read, then it is found") {
  file_tree tree;
  tree.membership("0::/app\n");
  tree.mounts("31 22 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n");
  tree.file("my groups/app/cpu.max", "100000 50000\n");
  CHECK(tree.quota() == 2.0);
}

TEST_CASE("given a cpu.max without a period, when the quota is read, then it is 100 ms") {
  file_tree tree;
  tree.membership("0::/app\n").mounts(version_2);
  tree.file("sys/fs/cgroup/app/cpu.max", "300000\n");
  CHECK(tree.quota() == 3.0);
}

TEST_CASE("given files that make no sense, when the quota is read, then they set no limit") {
  const std::string nonsense = GENERATE(as<std::string>(), "", "\n", "0 100000", "-5 100000", "5 0",
                                        "a b", "1e5 100000", "99999999999999999999 1", "1 2x");
  file_tree tree;
  tree.membership("0::/app\nnonsense\n::::\n4:cpu\n").mounts("- -\n\n31 - cgroup2\n" + version_2);
  tree.file("sys/fs/cgroup/app/cpu.max", nonsense);
  CHECK_FALSE(tree.quota().has_value());
}

TEST_CASE(
    "given affinity and quota, when they are combined, then the smaller wins, rounded up and at "
    "least 1") {
  using coterie::detail::cpus_within;
  CHECK(cpus_within(8, std::nullopt) == 8);
  CHECK(cpus_within(8, 2.0) == 2);
  CHECK(cpus_within(8, 2.01) == 3);
  CHECK(cpus_within(8, 0.1) == 1);
  CHECK(cpus_within(2, 7.5) == 2);
  CHECK(cpus_within(4, 1e18) == 4);
  CHECK(cpus_within(0, std::nullopt) == 1);
}

TEST_CASE("given an affinity mask of one CPU, when the CPUs are counted, then there is one") {
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  const int masked = coterie::detail::cpus_in_affinity_mask();
  const int available = coterie::available_cpus();
  REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
  CHECK(masked == 1);
  CHECK(available == 1);
  CHECK(coterie::detail::cpus_in_affinity_mask() == CPU_COUNT(&before));
}
