"""Log the number on a meter as CSV: a row whenever the number changes.

python examples/meter_to_csv.py tests/images/meter.mp4 > meter.csv
python examples/meter_to_csv.py 0 > meter.csv  # a camera; each start writes a new header
"""

import csv
import re
import sys

from edgeocr.watch import WatchOptions, watch

# Only the group counts: if something else in the text changes, that is not a change.
options = WatchOptions(match=re.compile(r"(\d+[.,]\d+) ?bar"), every=0.1)
rows = csv.writer(sys.stdout)
rows.writerow(["time", "seconds", "bar", "score"])
for event in watch(sys.argv[1], options=options):
    if event.kind != "gone" and event.match is not None:
        number = float(event.match.replace(",", "."))
        row = event.to_dict()
        rows.writerow([row["time"], row["seconds"], number, row["score"]])
        sys.stdout.flush()
