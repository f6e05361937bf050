"""Write tests/fixtures/readers.npz: what PaddleOCR 2.10 reads with its families of recognizers.

For each network of the zoo: PaddleOCR's own TextRecognizer resizes, normalizes and decodes, and
Paddle Inference 2.6.2 runs the network. For each family: PaddleOCR's decoder reads made-up outputs
that spell known texts.

Needs the environment of make_fixtures.py. Run it from the root of the checkout:

    oracle/bin/python -m tests.oracle.make_reader_fixtures
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from converters.catalog.entries import Algorithm
from tests.oracle.reference import sequence_label_decode, text_recognizer
from tests.support.line_crops import line_crops
from tests.support.paths import FIXTURES, ZOO_EXPORTS
from tests.support.readout_cases import FORMS, outputs, softmax

TARGET = FIXTURES / "readers.npz"
# Network of the zoo → PaddleOCR's name of the algorithm, and the size of the input.
READERS = {
    "rec_vitstr_none_ce": ("ViTSTR", "1,224,224"),
    "rec_r45_abinet": ("ABINet", "3,32,128"),
    "rec_vit_parseq": ("ParseQ", "3,32,128"),
    "rec_svtrnet_cppd_base_en": ("CPPD", "3,32,100"),
    "rec_r45_visionlan": ("VisionLAN", "3,64,256"),
    "rec_resnet_rfl_att": ("RFL", "1,32,100"),
    "rec_r32_gaspin_bilstm_att": ("SPIN", "1,32,100"),
    "rec_efficientb3_fpn_pren": ("PREN", "3,64,256"),
    "rec_svtrnet": ("SVTR", "3,64,256"),
    "rec_mtb_nrtr": ("NRTR", "1,32,100"),
    "rec_satrn": ("SATRN", "3,32,100"),
    "rec_r31_sar": ("SAR", "3,48,48,160"),
    "rec_r31_robustscanner": ("RobustScanner", "3,48,48,160"),
}
# Networks that Paddle Inference runs only on lines that leave padding, see tests/zoo/README.md.
SHORT = ("rec_r31_sar", "rec_r31_robustscanner")
# Lines that have the network's size already: NRTR's random weights amplify that Pillow's Lanczos
# differs from OpenCV's.
SIZES = {"rec_mtb_nrtr": (100, 32)}
# Family → its decoder, and whether its networks give probabilities.
DECODERS: dict[Algorithm, tuple[str, bool]] = {
    "ViTSTR": ("ViTSTRLabelDecode", True),
    "ABINet": ("ABINetLabelDecode", True),
    "PARSeq": ("ParseQLabelDecode", True),
    "CPPD": ("CPPDLabelDecode", True),
    "VisionLAN": ("VLLabelDecode", False),
    "RFL": ("RFLLabelDecode", False),
    "SPIN": ("SPINLabelDecode", True),
    "PREN": ("PRENLabelDecode", True),
    "NRTR": ("NRTRLabelDecode", False),
    "SAR": ("SARLabelDecode", True),
    "SATRN": ("SATRNLabelDecode", True),
    "RobustScanner": ("SARLabelDecode", True),
}
assert DECODERS.keys() == FORMS.keys()


def main() -> None:
    """Write the file."""
    arrays: dict[str, Any] = {}
    for family, (decoder, softmaxed) in DECODERS.items():
        given = [softmax(value) if softmaxed else value for value in outputs(family)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the mean of nothing
            found = sequence_label_decode(decoder)(given if len(given) > 1 else given[0])
        arrays[f"{family}_texts"] = np.array([text for text, _ in found])
        arrays[f"{family}_scores"] = np.array([score for _, score in found], np.float32)
        print(family, found)
    for name, (algorithm, shape) in READERS.items():
        recognizer = text_recognizer(ZOO_EXPORTS / name / "legacy", algorithm, shape)
        if algorithm == "PREN":
            # PRENResizeImg, with which it is trained, computes the same as SVTR's function here;
            # VisionLAN's, which is called, swaps the channels and leaves out the normalization.
            recognizer.resize_norm_img_vl = recognizer.resize_norm_img_svtr
        crops = line_crops(grey=shape.startswith("1,"), short=name in SHORT, size=SIZES.get(name))
        # PaddleOCR trains ABINet on RGB but gives it BGR here; edgeocr does as the training.
        given = [crop[:, :, ::-1] if algorithm == "ABINet" else crop for crop in crops]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the mean of nothing
            found, _ = recognizer([np.ascontiguousarray(crop) for crop in given])
        arrays[f"{name}_texts"] = np.array([text for text, _ in found])
        arrays[f"{name}_scores"] = np.array([score for _, score in found], np.float32)
        print(name, found)
    np.savez_compressed(TARGET, **arrays)


if __name__ == "__main__":
    main()
