"""Read a picture and print each line with its score.

python examples/read_one.py tests/images/sample.jpg
"""

import sys

from edgeocr import OCR

with OCR() as ocr:
    page = ocr.read(sys.argv[1])

for line in page:
    print(f"{line.score:.2f}  {line.text}")
print(f"{len(page)} lines in a picture of {page.width} x {page.height} pixels")
