// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the contenders over Open MPI share. The C++ bindings of MPI are long gone: this is its C
// API.

#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

namespace bench {

/// `MPI_Init`, and `MPI_Finalize` at the end of the scope.
class mpi_run {
 public:
  mpi_run(int argc, char** argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
  }
  mpi_run(const mpi_run&) = delete;
  mpi_run& operator=(const mpi_run&) = delete;
  ~mpi_run() { MPI_Finalize(); }

  int rank = 0;
  int size = 1;
};

}  // namespace bench
