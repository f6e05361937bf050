"""Whether a further measuring process fits into memory, so that the device doesn't swap."""

from __future__ import annotations

from ..device import machine

# What a process is expected to need beside several times its bundle: Python, the libraries, and the
# maps of a picture. It is only a guess, and gives way to what similar processes have needed.
FIRST_BYTES = 200 << 20
FIRST_BUNDLES = 6
# A process that reads a stream holds several pages at a time, and more than before the rounds.
GROWTH = 1.25
# Memory that is left to the rest of the system.
RESERVE = 128 << 20


class Room:
    """The memory that is left for measuring processes, which stay alive beside each other."""

    def __init__(self) -> None:
        """Begin without knowing how much a process needs."""
        self._peaks: dict[tuple[str, str], int] = {}

    def note(self, bundle: str, provider: str, peak_rss_bytes: int | None) -> None:
        """Note how much memory a process with a bundle has needed on an execution provider."""
        if peak_rss_bytes is not None:
            key = bundle, provider
            self._peaks[key] = max(self._peaks.get(key, 0), peak_rss_bytes)

    def refusal(self, bundle: str, provider: str, size: int) -> str | None:
        """Say why no further process fits; None if one fits, or if the memory is unknown.

        Args:
            bundle: The bundle's name.
            provider: The execution provider.
            size: The size of the bundle's files in bytes.
        """
        available = machine.available_memory()
        if available is None:
            return None
        needed = int(GROWTH * self._expected(bundle, provider, size)) + RESERVE
        if needed <= available:
            return None
        return (
            f"it would not fit into memory beside the other cells: about {needed >> 20} MiB are "
            f"needed and {available >> 20} MiB are available; measure fewer cells at once"
        )

    def _expected(self, bundle: str, provider: str, size: int) -> int:
        """Return the peak that a process is expected to have, in bytes.

        It is that of earlier processes with the same bundle and provider. If there are none, it is
        the largest of those with one of the two: providers differ by more than bundles do.
        """
        if (bundle, provider) in self._peaks:
            return self._peaks[bundle, provider]
        similar = [
            peak
            for (name, other), peak in self._peaks.items()
            if name == bundle or other == provider
        ]
        return max([FIRST_BYTES + FIRST_BUNDLES * size, *similar])
