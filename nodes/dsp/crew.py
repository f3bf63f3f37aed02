"""The threads of a worker that play its plugins, called together: the words that engine and worker share for that.

One count says how many calls are left over, or, below zero, how many threads sleep. So a thread is woken only where one
sleeps, and the many blocks of plugins side by side cost as many wakes as there are threads.
"""

from __future__ import annotations

from graph.spec import helper
from nodes.dsp.raw import add_atomic, post

CALLS, BELL, EAGER, THREADS, CREW_WORDS = 0, 8, 16, 17, 24
"""Calls that nobody took yet, less the threads that sleep; the semaphore they sleep on; 1 for a crew that is to be
awake when the next block is due; how many threads it may have.
"""


@helper
def call(crew):
    """Have a thread look for what there is to do: each call is one look."""
    if add_atomic(crew + 8 * CALLS, 1) < 0:
        post(crew + 8 * BELL)
