"""The pages state the limits that the code has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from converters.model.page_yml import SURE
from edgeocr.bundle import limits as bundles
from edgeocr.decoding import limits as pictures
from edgeocr.documents import text_layer
from edgeocr.documents.options import DPI, MOST_DPI
from edgeocr.graphs import limits as graphs
from edgeocr.graphs.wire import MAX_FIELDS
from edgeocr.memory.budget import CONTENTS
from edgeocr.page_stages import unwarping
from edgeocr.probe import process
from edgeocr.recognize import MOST_STEPS
from edgeocr.runtime.lifetime import PATIENCE
from edgeocr.stages import frames
from edgeocr.watch import WatchOptions
from edgeocr.watch.outputs.mqtt import publisher
from tests.support.paths import ROOT

POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def spaced(number: int) -> str:
    """Return a number with a space between groups of three digits."""
    return f"{number:,}".replace(",", " ")


def power(number: int) -> str:
    """Return a power of two as the pages write it."""
    exponent = number.bit_length() - 1
    assert number == 1 << exponent
    return f"2{str(exponent).translate(POWERS)}"


def statements() -> Iterator[tuple[str, str]]:
    """Yield pages, and what each must state."""
    page = "docs/bundle-format.md"
    yield page, f"| {bundles.FILES} each; {bundles.NAME_BYTES} |"
    yield page, f"| {spaced(bundles.MANIFEST_BYTES)} / {bundles.SIGNATURE_BYTES} |"
    sizes = (bundles.GRAPH_BYTES >> 30, bundles.CHARSET_BYTES >> 20, bundles.OTHER_BYTES >> 20)
    yield page, "| {} GiB / {} MiB / {} MiB / ".format(*sizes)
    yield page, f" / {bundles.BUNDLE_BYTES >> 30} GiB |"
    yield page, f"| {bundles.ENGINE_DEVICES}; {bundles.ENGINE_BYTES >> 30} GiB |"
    yield page, f"| {bundles.NESTING}; {bundles.STRING}; {power(bundles.INTEGER + 1)} - 1 |"
    yield page, f"| code points of a character of the charset | {bundles.CHARACTER} |"
    yield page, f"| {spaced(bundles.SIDE)} / {bundles.STEP} |"
    yield page, f"| {power(bundles.INPUT_PIXELS)} |"
    yield page, f"more of them than W | {bundles.POINTS} |"
    yield page, f"more of them than W | {MOST_STEPS} |"
    page = "docs/camera.md"
    yield page, f"up to {publisher.WAITING} events wait"
    yield page, "after {} second, later after up to {}".format(*publisher.PAUSES)
    watch = WatchOptions()
    yield page, f"texts with a lower score are ignored | {watch.min_score:g} |"
    yield page, f"before it is gone | {watch.patience:g} |"
    yield page, f"may take to give its first picture | {watch.open_timeout:g} |"
    page = "docs/page-stages.md"
    yield page, f"{unwarping.POINTS[0]} to {unwarping.POINTS[-1]} rows and columns"
    yield page, f"a\nside of more than {spaced(unwarping.LARGEST_SIDE)} pixels is not unwarped"
    yield page, f"sets the threshold to {SURE:g}"
    page = "docs/pictures.md"
    yield page, f"more than {spaced(pictures.MAX_IMAGE_PIXELS)} pixels is refused"
    yield page, f"| {pictures.MAX_STRUCTURES >> 20} MiB, or the size of the file"
    yield page, f"| {pictures.MAX_CANVASES} times `max_image_pixels`"
    page = "docs/documents.md"
    yield page, f"At most {spaced(frames.MOST_PAGES)} pages of a file"
    yield page, f"{spaced(frames.MOST_STEPS)} frames of an animation"
    yield page, f"rendered at {DPI} dpi"
    yield page, f"from 1 to {spaced(MOST_DPI)};"
    yield page, f"more than {100 * text_layer.MOST_INVISIBLE:g} % of them are invisible"
    yield page, f"more than {100 * text_layer.MOST_WRONG:g} % of the characters"
    assert text_layer.MOST_PICTURES == 0.1
    yield page, "more than a tenth of it"
    page = "SECURITY.md"
    yield page, f"{spaced(pictures.MAX_IMAGE_PIXELS)} pixels by the header"
    yield page, f"{pictures.MAX_STRUCTURES >> 20} MiB for what decoding takes beside the pixels"
    yield page, f"At most {spaced(frames.MOST_PAGES)} pages of a file"
    page = "docs/graphs.md"
    yield page, f"At most {spaced(MAX_FIELDS)} fields"
    yield page, f"with at most {graphs.MAX_RANK}\n  dimensions, each below {power(graphs.MAX_SIDE)}"
    yield page, f"`dilations` | 1 to {graphs.MAX_WINDOW}"
    yield page, f"numbers of heads | 1 to {spaced(graphs.MAX_CHANNELS)};"
    yield page, f"`blocksize` 1 to {graphs.MAX_BLOCK}; `num_outputs` 1 to {graphs.MAX_OUTPUTS}"
    yield page, f"| {power(graphs.MAX_ELEMENTS)} elements"
    yield page, f"{graphs.MAX_FACTOR} times for `Tile`"
    yield page, f"at most {graphs.MAX_TEXT} bytes"
    yield page, f"within {process.SECONDS:g} seconds"
    yield page, f"{process.MEMORY[:-2]} GB of memory"
    yield "docs/processes.md", f"for {PATIENCE:g} seconds at most"
    assert CONTENTS == 3
    yield "docs/providers.md", "a third of the room for pictures"


@pytest.mark.parametrize(("page", "statement"), [*statements()])
def test_page_states_the_limit_of_the_code(page: str, statement: str) -> None:
    assert statement in (ROOT / page).read_text("utf-8")
