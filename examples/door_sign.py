"""Watch the sign in a shop's door, and print when the shop opens and closes.

python examples/door_sign.py rtsp://192.168.1.20/stream 200,80,400,160

The second argument is the part of the picture that shows the sign: left, top, width, height in
pixels.
"""

import re
import sys

from edgeocr.watch import WatchOptions, watch

left, top, width, height = map(int, sys.argv[2].split(","))
options = WatchOptions(
    region=(left, top, width, height),
    match=re.compile(r"(?i)\b(open|closed)\b"),
    patience=2.0,  # somebody who walks past the sign doesn't close the shop
)
for event in watch(sys.argv[1], options=options):
    if event.kind != "gone" and event.match is not None:
        print(f"{event.seconds:.1f} s: the shop is {event.match.lower()}", flush=True)
    else:
        print(f"{event.seconds:.1f} s: the sign can't be seen", flush=True)
