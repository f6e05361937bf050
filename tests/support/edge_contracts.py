"""The inputs and outputs that the edge graphs of each algorithm have."""

from __future__ import annotations

from typing import Any

# Families that read words of one size → height and width of the input.
WORDS = {
    "ViTSTR": (224, 224),
    "ABINet": (32, 128),
    "PARSeq": (32, 128),
    "CPPD": (32, 100),
    "VisionLAN": (64, 256),
    "RFL": (32, 100),
    "SPIN": (32, 100),
    "PREN": (64, 256),
    "NRTR": (32, 100),
    "SATRN": (32, 100),
    "SAR": (48, 160),
    "RobustScanner": (48, 160),
}
# Families whose networks take one picture at a time.
ONE_BY_ONE = ("SATRN", "SAR", "RobustScanner")
# Algorithm → name and shape of the input, then of each output.
CONTRACTS: dict[str, list[tuple[str, list[Any]]]] = {
    "DB": [("image", ["N", "H", "W", 3]), ("probability", ["N", "H", "W"])],
    "EAST": [
        ("image", ["N", "H", "W", 3]),
        ("score", ["N", "h", "w"]),
        ("geometry", ["N", 8, "h", "w"]),
    ],
    "SAST": [
        ("image", ["N", "H", "W", 3]),
        ("tcl", ["N", "h", "w"]),
        ("border", ["N", 4, "h", "w"]),
        ("tvo", ["N", 8, "h", "w"]),
        ("tco", ["N", 2, "h", "w"]),
    ],
    "PSE": [("image", ["N", "H", "W", 3]), ("kernels", ["N", 7, "h", "w"])],
    "FCE": [
        ("image", ["N", "H", "W", 3]),
        *((f"level_{8 << level}", ["N", 26, f"h{level}", f"w{level}"]) for level in range(3)),
    ],
    "CT": [("image", ["N", "H", "W", 3]), ("kernel_and_offsets", ["N", 3, "h", "w"])],
    "PGNet": [
        ("image", ["N", "H", "W", 3]),
        ("tcl", ["N", "h", "w"]),
        ("border", ["N", 4, "h", "w"]),
        ("direction", ["N", 2, "h", "w"]),
        ("characters", ["N", 37, "h", "w"]),
    ],
    "CLS": [("crops", ["N", "H", "W", 3]), ("probability", ["N", "classes"])],
    "PageCLS": [("image", ["N", "H", "W", 3]), ("probability", ["N", "classes"])],
    "UVDoc": [("image", ["N", 712, 488, 3]), ("grid", ["N", 2, "h", "w"])],
    "CTC": [("crops", ["N", 32, "W", 3]), ("indices", ["N", "T"]), ("scores", ["N", "T"])],
    "Attention": [("crops", ["N", 32, 100, 3]), ("indices", ["N", "T"]), ("scores", ["N", "T"])],
    "SRN": [("crops", ["N", 64, 256, 3]), ("indices", ["N", "T"]), ("scores", ["N", "T"])],
    **{
        family: [
            ("crops", [1 if family in ONE_BY_ONE else "N", *size, 3]),
            ("indices", ["N", "T"]),
            ("scores", ["N", "T"]),
        ]
        for family, size in WORDS.items()
    },
}
# Algorithm → height and width of a picture that its network takes.
SIZES = {
    "SAST": (256, 128),
    "PGNet": (128, 256),
    "CLS": (48, 192),
    "PageCLS": (224, 224),
    "UVDoc": (712, 488),
}
