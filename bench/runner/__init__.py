# SPDX-License-Identifier: BSL-1.0
"""What bench/run is made of."""
