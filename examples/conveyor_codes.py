"""Read the codes of parcels on a conveyor, and keep pictures of them.

python examples/conveyor_codes.py 0 parcels

The first argument is the camera, the second is the folder for the pictures. A code is printed when
its parcel has passed.
"""

import re
import sys

from edgeocr.watch import Snapshots, WatchOptions, watch

CODE = re.compile(r"\b[A-Z]{2}-\d{4}\b")

snapshots = Snapshots(sys.argv[2], keep=1000)
seen: set[str] = set()
for event in watch(sys.argv[1], options=WatchOptions(match=CODE, min_score=0.8)):
    # The first text of a parcel that enters the picture may be wrong, and then changes. The last
    # one is reported when the parcel is gone.
    if event.kind == "gone" and event.match is not None:
        again = " again" if event.match in seen else ""
        seen.add(event.match)
        print(f"{event.match}{again}", flush=True)
    else:
        snapshots.write(event)
