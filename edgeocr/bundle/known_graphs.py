"""The SHA-256 of graphs that need no check when they are opened: those of the embedded bundle.

The check of a graph always gives the same answer for the same bytes, so the tests check these
graphs once, and opening the embedded bundle only compares their SHA-256. That saves 11 ms for the
check and 4 ms for importing it.
"""

# The SHA-256 of each graph of edgeocr/bundles/tiny.edgeocr, and the graph's stage. A test compares
# them with the bundle, and prints what has to stand here when the bundle has been frozen again.
KNOWN_GRAPHS = {
    "0f12d60d5daa6bd5769148e0d548057af2c474144d3657ae4d74f98d044a10ae": "recognition",
    "aa7fb60e2df54b723f002f246df21d6552af48c5cb4eb77f4d82ab30b8642509": "detection",
    "cae43db2778007b75a9f0fe137176d7d0a3a16d2680006e09c3359c863e0ca52": "orientation",
}
