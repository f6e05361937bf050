"""The type of the sizes of a graph's values, as rewrites get them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

# Value → its sizes; None for a size that is not known. Values of unknown rank are left out.
Known: TypeAlias = Mapping[str, "list[int | None]"]
