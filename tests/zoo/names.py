"""The exported networks by name, and which of them the default run of the tests takes."""

from __future__ import annotations

from tests.support.paths import ZOO_EXPORTS

EXPORTS = ZOO_EXPORTS
NAMES = sorted(path.name for path in EXPORTS.iterdir())
FORMS = ("legacy", "pir")
# Every export, (name, format), and the networks that Paddle exports in both formats.
EVERY = [(name, form) for name in NAMES for form in FORMS if (EXPORTS / name / form).is_dir()]
IN_BOTH = [name for name in NAMES if {(name, form) for form in FORMS} <= set(EVERY)]
# The smallest network of each algorithm.
OF_ALGORITHM = {
    "DB": "PP-OCRv6_tiny_det",
    "EAST": "det_mv3_east",
    "SAST": "det_r50_vd_sast_icdar15",
    "PSE": "det_r50_vd_pse",
    "FCE": "det_r50_vd_dcn_fce_ctw",
    "CT": "det_r18_vd_ct",
    "PGNet": "e2e_r50_vd_pg",
    "CLS": "ch_ppocr_mobile_v2.0_cls",
    "CTC": "rec_mv3_none_none_ctc",
    "Attention": "rec_mv3_tps_bilstm_att",
    "SRN": "rec_r50_fpn_srn",
    "ViTSTR": "rec_vitstr_none_ce",
    "ABINet": "rec_r45_abinet",
    "PARSeq": "rec_vit_parseq",
    "CPPD": "rec_svtrnet_cppd_base_en",
    "VisionLAN": "rec_r45_visionlan",
    "RFL": "rec_resnet_rfl_att",
    "SPIN": "rec_r32_gaspin_bilstm_att",
    "PREN": "rec_efficientb3_fpn_pren",
    "NRTR": "rec_mtb_nrtr",
    "SAR": "rec_r31_sar",
    "SATRN": "rec_satrn",
    "RobustScanner": "rec_r31_robustscanner",
    "PageCLS": "PP-LCNet_x1_0_doc_ori",
    "UVDoc": "UVDoc",
}
# Networks whose loops are unrolled into thousands of nodes.
UNROLLED = {"PARSeq", "SATRN", "NRTR"}
# Networks whose parts are those of others: SPIN has RFL's backbone and decoder, and a TPS; PREN has
# convolutions and sums alone. The default run takes them only where a test has the algorithm as its
# parameter.
OF_KNOWN_PARTS = {"SPIN", "PREN"}
# What the default run takes; the stress stage has every network. A test may take a network or its
# algorithm as a parameter.
IN_DEFAULT_RUN = {
    each for algorithm, name in OF_ALGORITHM.items() if algorithm not in UNROLLED
    for each in ((algorithm,) if algorithm in OF_KNOWN_PARTS else (algorithm, name))
}  # fmt: skip
LEFT_TO_STRESS = {*NAMES, *OF_ALGORITHM} - IN_DEFAULT_RUN
