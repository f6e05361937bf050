"""Time functions in turn, so that whatever slows the machine down meets all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from time import get_clock_info, perf_counter, thread_time

# The rounds: as many as fit into the budget, but no more than needed for a steady minimum.
LEAST_ROUNDS, MOST_ROUNDS = 3, 15
# Seconds for the rounds of one stage, unless its first rounds take longer.
BUDGET = 0.3
# The seconds below which a clock's steps must lie to time a run of some milliseconds.
STEP = 1e-4


def least_milliseconds(
    functions: Mapping[str, Callable[[], object]], budget: float = BUDGET
) -> dict[str, float]:
    """Run functions in turn and return the least time of each, in milliseconds.

    A function should do its work in the thread that calls it: its CPU time is measured where the
    system counts that finely enough, which other processes don't disturb.

    Args:
        functions: The functions, by name.
        budget: The seconds after which no further round begins once there were `LEAST_ROUNDS`.
    """
    clock = thread_time if get_clock_info("thread_time").resolution < STEP else perf_counter
    for function in functions.values():  # the first run allocates memory
        function()
    least = dict.fromkeys(functions, math.inf)
    end = perf_counter() + budget
    for done in range(MOST_ROUNDS):
        if done >= LEAST_ROUNDS and perf_counter() > end:
            break
        for name, function in functions.items():
            start = clock()
            function()
            least[name] = min(least[name], clock() - start)
    return {name: 1000 * seconds for name, seconds in least.items()}
