// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <cstdint>

/// Where a task runs.
namespace coterie::this_worker {

/// The rank of this worker, from 0 to `size() - 1`, or -1 in a process that is no worker. A worker
/// that replaces another takes over its rank.
///
/// Thread safety: may be called from any thread. Never throws.
///
/// Example: a file of its own for each worker.
/// @code
/// std::ofstream log{fmt::format("worker-{}.log", coterie::this_worker::rank())};
/// @endcode
int rank() noexcept;

/// The number of workers in the pool that this one belongs to, or 0 in a process that is no worker.
///
/// Thread safety: may be called from any thread. Never throws.
int size() noexcept;

/// How many processes had this worker's rank before this one: 0 for the first, one more for each
/// that replaces another. -1 in a process that is no worker.
///
/// Thread safety: may be called from any thread. Never throws.
std::int64_t incarnation() noexcept;

/// The index, in its call, of the item that the function runs on: the same whichever worker runs
/// it, and how often. 0 in `pool::apply`. -1 where no item runs: in the program, in an initializer
/// or a finalizer, or while a function object is made from its bytes.
///
/// Thread safety: to be called in the thread in which the function was called. Never throws.
///
/// Example: `if (coterie::this_worker::item() == 0) std::puts("the first one");`
std::int64_t item() noexcept;

/// A seed for the random numbers of the item that the function runs on. It depends on the call and
/// on the index of the item, and on nothing else: not on the number of workers, on which of them
/// runs the item and when, nor on crashes. So a program that makes the same calls in the same order
/// gets the same numbers in each run. Different items and different calls have different seeds.
///
/// A call's own seed is `map_options::seed` or `stream_options::seed`, if given. Otherwise the n-th
/// call of a pool, from 1 on, has the number n of the sequence of `pool_options::seed`; and the
/// seed of the item i is the number i of the sequence of the call's seed. The sequences are those
/// of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA
/// 2014). 0 where no item runs.
///
/// Thread safety: to be called in the thread in which the function was called. Never throws.
///
/// Example: `std::mt19937_64 random{coterie::this_worker::seed()};`
std::uint64_t seed() noexcept;

}  // namespace coterie::this_worker
