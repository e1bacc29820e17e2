# SPDX-License-Identifier: BSL-1.0
"""All pictures of docs/."""
import call
import chunk
import link_memory
import worker


def all_pictures():
    return [each.draw() for each in (call, worker, chunk, link_memory)]
