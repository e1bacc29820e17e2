/* SPDX-License-Identifier: BSL-1.0 */

/* Included ahead of everything else in a program that runs Asio of Boost 1.81 on io_uring: the
 * flags of the build see to that. (C89 comments: the flags may reach C sources, too.)
 *
 * Asio asks liburing for an entry, prepares the cancellation of an operation in it, and leaves the
 * entry's user data alone. Since its version 2.2 liburing leaves it alone as well: so it still
 * names the operation that used the entry last, and that one is told that it has completed when the
 * cancellation has. Asio 1.27 (Boost 1.82) clears the user data itself, as is done here. */

#ifndef COTERIE_DETAIL_IO_URING_FIX_H
#define COTERIE_DETAIL_IO_URING_FIX_H

#ifdef __cplusplus

#include <liburing.h>

inline io_uring_sqe* coterie_detail_get_clean_sqe(io_uring* ring) {
  io_uring_sqe* const entry = io_uring_get_sqe(ring);
  if (entry) entry->user_data = 0;
  return entry;
}

#define io_uring_get_sqe coterie_detail_get_clean_sqe

#endif

#endif
