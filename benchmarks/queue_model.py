"""The shortest waits that a queue can have: clients that each send one request after the other."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from random import Random

SEED = 22
REQUESTS = 20_000


def response_times(
    service_times: Sequence[float], clients: int, servers: int, window: int
) -> list[float]:
    """Simulate requests that wait in one queue and cost nothing but their service.

    Each client sends its next request at the moment it gets an answer. The queue is first in, first
    out, and each server takes the first request as soon as it is free.

    Args:
        service_times: Measured times of one service in seconds, which the simulation draws from.
        clients: How many clients there are.
        servers: How many requests are served at a time.
        window: After how many requests the measurement began anew, with an empty queue. The first
            requests of a window wait less than the others.

    Returns:
        The seconds from sending each request to its answer, of `REQUESTS` requests at least.
    """
    random = Random(SEED)
    found: list[float] = []
    while len(found) < REQUESTS:
        # When each client sends its next request, and when each server is free.
        sending, free = [0.0] * clients, [0.0] * servers
        for _ in range(window):
            sent = heapq.heappop(sending)
            answered = max(sent, heapq.heappop(free)) + random.choice(service_times)
            heapq.heappush(free, answered)
            heapq.heappush(sending, answered)
            found.append(answered - sent)
    return found
