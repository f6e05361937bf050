"""Draw the regions of a picture's lines, as polygons where lines are curved.

python examples/draw_overlay.py tests/images/badge.jpg badge-overlay.png
"""

import sys

import cv2

from edgeocr import OCR

source, target = sys.argv[1:3]
image = cv2.imread(source)
if image is None:
    sys.exit(f"{source}: cannot be read as a picture")

with OCR(shape="polygon") as ocr:
    page = ocr.read(image)

cv2.imwrite(target, page.draw(image, texts=False))  # texts=True needs Pillow
print(f"{target}: {len(page)} lines drawn")
