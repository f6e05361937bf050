"""Write tests/fixtures/word_boxes.json: where RapidOCR 3.10 finds words and CJK characters.

RapidOCR runs the networks of the package's bundle, `tiny`. The script needs an environment of its
own with rapidocr 3.10.0 and onnxruntime. Run it from the root of the checkout, with the networks
and the characters of PP-OCRv6 tiny, one a line, in DIR:

    rapid/bin/python -m tests.oracle.make_word_boxes --models DIR --det PP-OCRv6_tiny_det.onnx \
        --rec PP-OCRv6_tiny_rec.onnx --cls ch_ppocr_mobile_v2.0_cls.onnx --keys tiny.txt
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tests.support.paths import FIXTURES, IMAGES

TARGET = FIXTURES / "word_boxes.json"
PICTURES = ("sample.jpg", "receipt.jpg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    for name in ("det", "rec", "cls", "keys"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "error",
            "Det.model_path": str(options.models / options.det),
            "Rec.model_path": str(options.models / options.rec),
            "Cls.model_path": str(options.models / options.cls),
            "Rec.rec_keys_path": str(options.models / options.keys),
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        }
    )
    found = {}
    for name in PICTURES:
        result = engine(str(IMAGES / name), return_word_box=True)
        found[name] = [
            {"text": text, "quad": [[int(x), int(y)] for x, y in quad]}
            for line in result.word_results
            for text, _, quad in line
        ]
    rows = ",\n".join(
        f'"{name}": [\n' + ",\n".join(json.dumps(box, ensure_ascii=False) for box in boxes) + "\n]"
        for name, boxes in found.items()
    )
    TARGET.write_text("{\n" + rows + "\n}\n", "utf-8")
    print(f"{TARGET}: {sum(map(len, found.values()))} boxes")


if __name__ == "__main__":
    main()
