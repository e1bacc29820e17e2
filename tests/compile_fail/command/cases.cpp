// SPDX-License-Identifier: BSL-1.0
// Each case is compiled with the command that compiles this file.
