"""Write the texts, scores and corners of a picture's lines as CSV to standard output.

python examples/boxes_to_csv.py tests/images/receipt.jpg > receipt.csv
"""

import csv
import sys

from edgeocr import OCR

with OCR() as ocr:
    page = ocr.read(sys.argv[1])

writer = csv.writer(sys.stdout)
writer.writerow(["text", "score", "x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4"])
for text, score, box in zip(page.texts, page.scores, page.boxes, strict=True):
    writer.writerow([text, f"{score:.4f}", *box.ravel().round(1).tolist()])
