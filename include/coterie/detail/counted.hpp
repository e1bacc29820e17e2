// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

namespace coterie::detail {

/// The base of an object that counts its owners, in any thread. `std::make_shared` would make the
/// compiler write a control block for each kind of call.
template <class T>
using counted = boost::intrusive_ref_counter<T, boost::thread_safe_counter>;

/// An owner of such an object.
template <class T>
using counted_ptr = boost::intrusive_ptr<T>;

}  // namespace coterie::detail
