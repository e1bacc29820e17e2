// SPDX-License-Identifier: BSL-1.0
#pragma once

// Included before any header of cereal. cereal keeps registers of class versions and polymorphic
// types for the whole process; a pool encodes and decodes in several threads at once. A program
// that includes cereal first must define this itself, in all of its files.
#ifndef CEREAL_THREAD_SAFE
#define CEREAL_THREAD_SAFE 1
#endif
