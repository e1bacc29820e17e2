# shellcheck shell=bash
# SPDX-License-Identifier: BSL-1.0
# What the scripts of this folder share. Sourced, with `set -euo pipefail` in force; the functions
# return their failures, for `set -e` sleeps wherever a caller looks at a status.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export root

# Without these ccache does not look past a precompiled header.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}
# A compiler's command is cut at spaces.
cached=ccache
[[ $root == *[[:space:]]* ]] || cached=$root/tools/cached
export CXX=${CXX:-"$cached c++"}

# Lines in backtraces, and no more: the rest takes the compiler as long as the code itself.
export lean_debug=-Dcpp_args=-g1

say() { printf '\n== %s\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# configure FOLDER OPTION...: a Meson build in build/FOLDER, kept from earlier as long as it was
# made with the same options. Warnings are errors here, not in the builds of users.
configure() {
  local folder=$root/build/$1
  shift
  local wanted="CXX=${CXX-} CXX_LD=${CXX_LD-} $*"
  if [[ -f $folder/build.ninja && $(cat "$folder/.configured" 2>/dev/null) == "$wanted" ]]; then
    return
  fi
  say "configuring ${folder#"$root/"}"
  rm -rf "$folder"
  meson setup -Dwerror=true "$@" "$folder" "$root" || return
  printf '%s\n' "$wanted" >"$folder/.configured"
}

# compile FOLDER [TARGET...]
compile() {
  local folder=$root/build/$1
  shift
  say "compiling ${folder#"$root/"}"
  ninja -C "$folder" -j "$(nproc)" "$@"
}

# run_tests FOLDER [ARGUMENT...]: `meson test`, which builds what the chosen tests need; its exit
# status.
run_tests() {
  local folder=$root/build/$1
  shift
  say "testing ${folder#"$root/"}"
  rm -f "$folder/meson-logs/testlog.json"
  meson test -C "$folder" --print-errorlogs "$@"
}

# counts_line PASSED FAILED SKIPPED
counts_line() {
  printf '%d passed, %d failed' "$1" "$2"
  (($3 == 0)) || printf ', %d skipped' "$3"
  printf '\n'
}

# test_counts FOLDER: "PASSED FAILED SKIPPED" of the last run_tests.
test_counts() {
  python3 - "$root/build/$1/meson-logs/testlog.json" <<'PYTHON'
import json
import sys

passed = failed = skipped = 0
try:
    lines = open(sys.argv[1]).read().splitlines()
except FileNotFoundError:
    lines = []
for line in lines:
    result = json.loads(line)["result"]
    if result in ("OK", "EXPECTEDFAIL"):
        passed += 1
    elif result == "SKIP":
        skipped += 1
    else:
        failed += 1
print(passed, failed, skipped)
PYTHON
}

# build_and_test FOLDER ARGUMENT... : compiles and tests a configured folder: everything, or the
# tests that the arguments choose, and only what these need. Leaves what there is to count in
# `passed`, `failed` and `skipped`: a build that breaks counts as one failure, and so does a test
# run that breaks without a failed test.
# shellcheck disable=SC2034  # read by the scripts that source this file
build_and_test() {
  local folder=$1
  shift
  passed=0 failed=1 skipped=0
  (($# > 0)) || compile "$folder" all meson-test-prereq || return
  local status=0
  run_tests "$folder" "$@" || status=$?
  read -r passed failed skipped <<<"$(test_counts "$folder")"
  ((status == 0 || failed > 0)) || failed=1
  return "$status"
}
