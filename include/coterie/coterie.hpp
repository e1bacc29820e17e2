// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

/// Everything of coterie: a process pool on Asio coroutines; and Asio's two completion tokens that
/// calls are first used with, `use_awaitable` (the default) and `use_future`.

#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <coterie/async_result.hpp>
#include <coterie/bind.hpp>
#include <coterie/call_options.hpp>
#include <coterie/cpus.hpp>
#include <coterie/error.hpp>
#include <coterie/event_loop.hpp>
#include <coterie/ext/codec.hpp>
#include <coterie/init.hpp>
#include <coterie/option.hpp>
#include <coterie/pool.hpp>
#include <coterie/pool_options.hpp>
#include <coterie/pool_stats.hpp>
#include <coterie/register_exception.hpp>
#include <coterie/remote_error.hpp>
#include <coterie/remote_info.hpp>
#include <coterie/stream.hpp>
#include <coterie/surroundings.hpp>
#include <coterie/this_worker.hpp>
#include <coterie/version.hpp>
#include <coterie/within.hpp>
#include <coterie/worker_task.hpp>
