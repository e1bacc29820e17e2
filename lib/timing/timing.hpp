// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

/// All constants of time of this library. The defaults of a program's options stand beside the
/// options (`pool_options`). Tests that make up their clock use these constants as well.
namespace coterie::detail::timing {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// ---- results on their way ---------------------------------------------------------------------

/// A worker that goes on working lets the parent sleep for this long after the last wake-up, where
/// a program waits for each result (a stream). A delay of half a millisecond is not noticed, and a
/// wake-up costs as much as a task of 15 us.
inline constexpr nanoseconds longest_silence = microseconds{400};
/// The same where results are of use only when all are there (`map`). What is seen of them is
/// progress.
inline constexpr nanoseconds longest_silence_when_collected = milliseconds{20};
/// A worker reads its clock once in about this time, and claims as many items at once as take it:
/// the cost of both vanishes beside that of the items. A single call waits as long for a worker to
/// make way. A parent that was woken and has read nothing for this long needs a CPU: the worker
/// yields its own.
inline constexpr nanoseconds stride = microseconds{50};
/// A worker checks this often, between two items, whether the parent has cancelled its job. Over a
/// socket the check is a system call.
inline constexpr nanoseconds cancel_check = milliseconds{1};
/// Without shared memory, a finished result waits this long for its worker to send it while the
/// worker runs other items. Then a thread of the worker sends the result. A crash costs the results
/// of this time, which is therefore less than a millisecond.
inline constexpr nanoseconds result_check = microseconds{750};

/// A worker without work sleeps on a word of the shared memory for this long, where a wake-up costs
/// less, and then on its socket, where it hears of its parent's end. So a worker hears of the end
/// of a killed parent this late at most, and one that idles wakes up once for nothing.
inline constexpr nanoseconds worker_nap = milliseconds{20};

// ---- the parent's end of a link ---------------------------------------------------------------

/// The parent checks the memory of a link after this long without news, while the worker may have
/// results that were not announced. This is much longer than a worker keeps silent: a stream of
/// short items causes no checks. Without a find the time until the next check doubles.
inline constexpr nanoseconds link_check = 10 * longest_silence;
/// The longest time between two checks, and the time at all other times. These checks find a worker
/// that has overwritten the words by which the two sides wake each other.
inline constexpr nanoseconds idle_link_check = seconds{1};
/// Segments are given up after this long without use. New pages cost several times what filling
/// them costs, so the large messages of a loop should find the segments of its last turn.
inline constexpr nanoseconds unused_segments = seconds{1};

// ---- polling ----------------------------------------------------------------------------------

/// A turn of polling keeps the event loop from other work for this long. The links of a pool share
/// it.
inline constexpr nanoseconds poll_turn = microseconds{4};
/// The longest `busy_poll` that a program can ask for. After that other processes should have the
/// CPU.
inline constexpr nanoseconds longest_busy_poll = seconds{1};
/// After a few unsuccessful polls a side stops polling for a while. The time is the first of these,
/// and doubles up to the longest.
inline constexpr nanoseconds first_poll_rest = milliseconds{10};
inline constexpr nanoseconds longest_poll_rest = milliseconds{640};
/// A side was preempted if more than this passed between two readings of its clock. This is much
/// longer than the few polls between them take, and much shorter than a time slice of the kernel.
inline constexpr nanoseconds preemption = microseconds{200};

// ---- processes --------------------------------------------------------------------------------

/// On a kernel without pidfds the parent asks this often whether a worker has ended. The end of a
/// link tells of most ends before that.
inline constexpr nanoseconds exit_check = milliseconds{10};
/// Starts that were lost longer ago than this say nothing of the next start. A pool sets its own
/// window (`restart_intensity`).
inline constexpr nanoseconds restart_window = seconds{10};
/// A start that follows one which was ended from outside waits. The time is the first of these, and
/// doubles up to the longest: one accident is hidden, and a system in trouble is spared.
inline constexpr nanoseconds first_restart_wait = milliseconds{1};
inline constexpr nanoseconds longest_restart_wait = seconds{1};
/// Starts that were given up while other workers serve are tried again after a pause. It is the
/// first of these, and doubles up to the longest.
inline constexpr nanoseconds first_restart_pause = seconds{1};
inline constexpr nanoseconds longest_restart_pause = seconds{32};

// ---- chunks -----------------------------------------------------------------------------------

/// A chunk of automatic size aims at a time between these two. In less than the first, messages
/// cost too much; more than the second gains nothing. `docs/chunks.md` has the figures.
inline constexpr nanoseconds shortest_chunk = microseconds{125};
inline constexpr nanoseconds longest_chunk = microseconds{1500};
/// With many workers the limits are at least these times for each worker, because all chunks pass
/// through one parent.
inline constexpr nanoseconds shortest_chunk_each = microseconds{10};
inline constexpr nanoseconds longest_chunk_each = microseconds{20};
/// Chunks of given size travel in one message if they are expected to end within this time. A
/// message of its own costs a longer chunk little.
inline constexpr nanoseconds longest_together = microseconds{400};
/// Where chunks cannot be revoked, a worker gets a second one only if it is expected to end within
/// this time. A job that waits for a worker waits for all that the worker holds.
inline constexpr nanoseconds prefetch = milliseconds{1};
/// Items that take less than this are not worth a theft: it takes as long until the thief has them.
inline constexpr nanoseconds min_theft = microseconds{200};
/// With many workers the limit is at least this for each of them, because the parent sees to all.
inline constexpr nanoseconds min_theft_each = microseconds{10};
/// A worker is overdue when it is at a chunk for longer than this, and twice the time that was
/// expected. Then what was not worth a theft is stolen all the same.
inline constexpr nanoseconds overdue = milliseconds{1};
/// The longest time that is told from any other. A worker may claim that an item took centuries,
/// and a program may put any number of items into a chunk. The product of both is limited to this
/// time, and so sums with a few such times and the clock's do not overflow.
inline constexpr nanoseconds longest_time = hours{24 * 365};

}  // namespace coterie::detail::timing
