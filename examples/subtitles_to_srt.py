"""Write the texts in the lower third of a video as subtitles.

python examples/subtitles_to_srt.py film.mp4 film.srt
"""

import sys
from pathlib import Path

import cv2

from edgeocr.watch import SrtWriter, WatchOptions, watch

source, target = sys.argv[1:3]
video = cv2.VideoCapture(source)
width = int(video.get(cv2.CAP_PROP_FRAME_WIDTH))
height = int(video.get(cv2.CAP_PROP_FRAME_HEIGHT))
seconds = video.get(cv2.CAP_PROP_FRAME_COUNT) / max(video.get(cv2.CAP_PROP_FPS), 1)
video.release()

lower = (0, height * 2 // 3, width, height // 3)
with Path(target).open("wb") as file:
    subtitles = SrtWriter(file)
    for event in watch(source, options=WatchOptions(region=lower, every=0.1, patience=0.2)):
        subtitles.add(event)
        print(f"{event.seconds:8.2f} s  {event.kind:8}  {event.text}")
    subtitles.close(seconds)  # texts that are still visible are shown until the end of the video
