// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include <coterie/pool_options.hpp>

#include "processes/lifeline.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// What the processes of a pool find around them, as far as the options of the pool say: checked
/// when the pool is made, and the same for workers that start later.
struct surroundings {
  ends_with_parent ends = ends_with_parent::process_group;
  unique_descriptor directory;  // where they begin
  std::vector<std::string>
      environment;  // beside the program's: "NAME=value", or "NAME" to take it away
  output standard_output;
  output standard_error;
  int nice = 0;           // more than the program's
  std::vector<int> cpus;  // one for each rank, and so on from the first again; none: any
};

/// Throws `std::invalid_argument` for options that make no sense, and
/// `boost::system::system_error`.
surroundings surroundings_for(const pool_options& options);

/// Where a worker's stream ends.
struct opened_output {
  unique_descriptor theirs;  // empty: where the program's own does
  unique_descriptor pipe;    // what the worker writes, to be passed on as lines behind `tag`
  std::string tag;
};

/// For `stream`, 1 or 2, of a worker. Throws `boost::system::system_error`.
opened_output open_output(const output& where, int rank, int stream);

/// What the parent sets of a worker that has just been started. Throws
/// `boost::system::system_error`.
void place(pid_t worker, int rank, const surroundings& around);

}  // namespace coterie::detail
