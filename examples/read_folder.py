"""Read all pictures of a folder, and go on when one of them cannot be read.

python examples/read_folder.py tests/images
"""

import sys
from pathlib import Path

from edgeocr import OCR, EdgeOCRError

paths = sorted(Path(sys.argv[1]).glob("*.jpg"))
with OCR() as ocr:
    for path, result in zip(paths, ocr.read_many(paths, on_error="return"), strict=True):
        if isinstance(result, EdgeOCRError):
            print(f"{path.name}: {result}", file=sys.stderr)
        else:
            print(f"{path.name}: {len(result)} lines")
