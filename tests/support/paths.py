"""Where the tests find the checkout and the data that they read."""

from pathlib import Path

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
IMAGES = TESTS / "images"
FIXTURES = TESTS / "fixtures"
BUNDLES = FIXTURES / "bundles"
ZOO_EXPORTS = TESTS / "zoo" / "exports"
TRAINED_EXPORTS = TESTS / "trained" / "exports"
# What tests/trained/train_ct.py writes.
CT_PARAMETERS = TESTS / "trained" / "ct.pdiparams"
EMBEDDED_BUNDLE = ROOT / "edgeocr" / "bundles" / "tiny.edgeocr"
