"""Make docs/images/serve.jpg: the page of `edgeocr serve` with tests/images/sample.jpg.

Its letters are those of the fonts that are installed: fonts-noto-core and fonts-noto-cjk of Debian.

    python -m tests.support.screenshot [PATH]
"""

from __future__ import annotations

import sys
from pathlib import Path

from edgeocr.serve import Options, ReaderOptions
from tests.support.paths import IMAGES, ROOT
from tests.support.services import serving
from tests.support.visits import chromium, visiting

PICTURE = ROOT / "docs" / "images" / "serve.jpg"
WINDOW = (1200, 800)
QUALITY = 84


def make(path: Path) -> None:
    """Write the screenshot to a file, as JPEG."""
    options = Options(ReaderOptions(provider="cpu"), port=0, drain=1)
    with (
        serving(options) as (client, _),
        chromium() as browser,
        visiting(browser, client.url, WINDOW) as visit,
    ):
        visit.open().choose(IMAGES / "sample.jpg")
        visit.outline(10).hover()
        visit.page.screenshot(path=path, type="jpeg", quality=QUALITY)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
