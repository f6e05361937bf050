"""Write tests/fixtures/accuracy.json: scores of test cases by OpenOCR's metrics.

OpenOCR's detection metric is a port of ICDAR 2015's official script, by way of DB's repository. Its
recognition metric, with its filter of digits and letters, is that of DTRB's protocol. The cases are
those of tests/support/accuracy_cases.py.

Needs the environment of make_fixtures.py, and there:

    oracle/bin/pip install "rapidfuzz>=3"
    oracle/bin/pip install --no-deps openocr-python==0.1.5

Run it from the root of the checkout:

    oracle/bin/python -m tests.oracle.make_accuracy_fixtures
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

from tests.support.accuracy_cases import WORDS, Scene, hand_made, random
from tests.support.paths import FIXTURES


def main() -> None:
    """Write the file."""
    evaluator = _module("opendet/metrics/eval_det_iou.py").DetectionIoUEvaluator()
    metric = _module("openrec/metrics/rec_metric.py").RecMetric(is_filter=True, is_lower=True)
    made = {
        "hand_made": [_counts(evaluator, scene) for scene in hand_made()],
        "random": [_counts(evaluator, scene) for scene in random()],
        "words": [
            metric(([(read, 1.0)], [(labelled, 1.0)]))["acc"] > 0.5 for labelled, read in WORDS
        ],
    }
    text = json.dumps(made, separators=(",", ":")).replace('],"', '],\n"')
    (FIXTURES / "accuracy.json").write_text(text + "\n", encoding="utf-8")
    print({name: len(cases) for name, cases in made.items()})


def _counts(evaluator: object, scene: Scene) -> list[int]:
    """Return the number of labelled regions, of found regions, and of pairs that match."""
    labels, found = scene
    given = [{"points": line.polygon.tolist(), "ignore": not line.care} for line in labels]
    read = [{"points": polygon.tolist(), "ignore": False} for polygon, _ in found]
    counted = evaluator.evaluate_image(given, read)  # type: ignore[attr-defined]
    return [counted["gtCare"], counted["detCare"], counted["detMatched"]]


def _module(path: str) -> ModuleType:
    """Load one module of OpenOCR, without the packages around it, which need PyTorch."""
    spec = importlib.util.find_spec("openocr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("openocr-python is not installed: see the docstring of this script")
    file = Path(spec.submodule_search_locations[0], path)
    found = importlib.util.spec_from_file_location(file.stem, file)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
