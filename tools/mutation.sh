# shellcheck shell=bash
# SPDX-License-Identifier: BSL-1.0
# A copy of the project, into which faults are put, one at a time. Sourced, after common.sh.

# shellcheck disable=SC2154  # `root` and `lean_debug` are of common.sh
tree=$root/build/mutants/tree
objects=$root/build/mutants/objects
# What does not end within so many seconds has noticed.
patience=30

# Writes only what differs, so that only that is compiled again.
copy_tree() {
  local files=()
  mapfile -d '' -t files < <(git ls-files -z --cached --others --exclude-standard)
  for file in "${files[@]}"; do
    # One that was deleted is listed until that is committed.
    [[ -e $file ]] || continue
    cmp -s "$file" "$tree/$file" && continue
    mkdir -p "$tree/$(dirname "$file")"
    cp "$file" "$tree/$file"
  done
}

configure_tree() {
  [[ -f $objects/build.ninja ]] ||
    meson setup "$objects" "$tree" -Dwerror=false -Devent_loop=epoll -Doptimization=1 \
      "$lean_debug" -Dtests=enabled -Dexamples=disabled -Dbench=disabled
}

# program_of TEST : where a unit test and an integration test have the same name, the unit test.
program_of() {
  if [[ $1 == memory_model ]]; then
    echo tests/memory_model/unit_memory_model
  elif [[ -e $root/tests/unit/$1_test.cpp ]]; then
    echo "tests/unit/unit_$1"
  else
    echo "tests/integration/integration_$1"
  fi
}

# build TEST... : quiet, unless it fails.
build() {
  local programs=() said
  for test in "$@"; do programs+=("$(program_of "$test")"); done
  said=$(ninja -C "$objects" -j "$(nproc)" "${programs[@]}" 2>&1) || {
    grep -E 'error: ' <<<"$said" | head -n 5
    return 1
  }
}

# In a shell of its own, which may tell of a crash as loudly as it likes.
run() (
  exec >"$objects/said" 2>&1 </dev/null
  timeout "$patience" "$objects/$(program_of "$1")"
  exit $?
)

# build_right TEST... : the tests as they are, which must pass.
build_right() {
  say "compiling what is right"
  build "$@" || die "the tests do not compile"
  for test in "$@"; do
    run "$test" || { cat "$objects/said"; die "$test fails without any mutant"; }
  done
}

# attempt FILE COMMAND TEST... : pipes the file of the copy through the command, and looks which of
# the tests do not notice. Leaves in `outcome` what came of it (unfit: the file is as before;
# broken: it does not compile; noticed; missed) and in `detail` the first errors, or those tests.
# shellcheck disable=SC2034  # read by the scripts that source this file
attempt() {
  local file=$tree/$1 command=$2 original=$objects/original unaware=()
  shift 2
  cp "$file" "$original"
  bash -c "$command" <"$original" >"$file"
  detail=
  if cmp -s "$original" "$file"; then
    outcome=unfit
  elif ! detail=$(build "$@"); then
    outcome=broken
  else
    for test in "$@"; do
      if run "$test"; then unaware+=("$test"); fi
    done
    outcome=noticed
    ((${#unaware[@]} == 0)) || outcome=missed detail="${unaware[*]}"
  fi
  # A new time: what was made of the mutant is older.
  cat "$original" >"$file"
}
