"""The SHA-256 of graphs that need no check when they are opened: those of the embedded bundle.

The check of a graph always gives the same answer for the same bytes, so the tests check these
graphs once, and opening the embedded bundle only compares their SHA-256. That saves 11 ms for the
check and 4 ms for importing it.
"""

# The SHA-256 of each graph of edgeocr/bundles/tiny.edgeocr, and the graph's stage. A test compares
# them with the bundle, and prints what has to stand here when the bundle has been frozen again.
KNOWN_GRAPHS = {
    "45cfc7a43031724712389a9f8e769aa937b23d4e3d9bcec82d848b6a4b95df1d": "recognition",
    "8fd36ed8f09120249c7e7cfcc074278138704c67537b354abe3495bb0cdaf202": "orientation",
    "aa7fb60e2df54b723f002f246df21d6552af48c5cb4eb77f4d82ab30b8642509": "detection",
}
