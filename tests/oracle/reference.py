"""The two oracles: networks run by Paddle Inference, post-processing done by PaddleOCR 2.10.

Nothing here is edgeocr's own: this module only calls what Paddle's authors wrote, so that
edgeocr can be compared with it. It needs the environment named in make_fixtures.py.
"""

import importlib.util
import os
import sys
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from paddle import inference

DETECTION_MEAN = (0.485, 0.456, 0.406)
DETECTION_STD = (0.229, 0.224, 0.225)
CROP_MEAN = (0.5, 0.5, 0.5)
CROP_STD = (0.5, 0.5, 0.5)


@cache
def paddleocr_folder() -> Path:
    """Return the folder of the installed package paddleocr without importing it.

    `import paddleocr` would need everything that training, layout and table recognition need, which
    `ppocr.postprocess` alone does not. The folder is looked up once, because "paddleocr" means the
    file paddleocr.py inside as soon as the folder is on sys.path.
    """
    spec = importlib.util.find_spec("paddleocr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("paddleocr is not installed: see the docstring of make_fixtures.py")
    return Path(spec.submodule_search_locations[0])


# Algorithms on whose exports the optimisations of Paddle Inference 2.6.2 crash, or may crash.
CRASHING = ("NRTR", "SATRN", "SAR", "RobustScanner")


def _module(name: str) -> ModuleType:
    folder = str(paddleocr_folder())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def stable_sorting() -> Any:
    """Return a context in which NumPy sorts stably.

    PaddleOCR sorts pixels by row or by direction, and the order in which an unstable sort leaves
    equal ones depends on the machine.
    """
    return patch.object(np, "argsort", partial(np.argsort, kind="stable"))


def db_post_process(**settings: Any) -> Any:
    """Return PaddleOCR's own DBPostProcess with these settings."""
    return _module("ppocr.postprocess.db_postprocess").DBPostProcess(**settings)


def east_post_process(**settings: Any) -> Any:
    """Return PaddleOCR's own EASTPostProcess with its suppression in Python.

    The suppression in C++, which PaddleOCR would install while it runs, gives the same to a
    thousandth of a pixel.
    """
    module: Any = _module("ppocr.postprocess.east_postprocess")

    def not_installed(*_: Any) -> None:
        raise ImportError

    module.check_install = not_installed
    return module.EASTPostProcess(**settings)


def sast_post_process(**settings: Any) -> Any:
    """Return PaddleOCR's own SASTPostProcess with these settings."""
    return _module("ppocr.postprocess.sast_postprocess").SASTPostProcess(**settings)


def pg_post_process(**settings: Any) -> Any:
    """Return PaddleOCR's own PGPostProcess with these settings."""
    return _module("ppocr.postprocess.pg_postprocess").PGPostProcess(**settings)


def pse_post_process(**settings: Any) -> Any:
    """Return PaddleOCR's own PSEPostProcess with these settings.

    Importing it compiles its extension in the installed package, which it looks for below the
    current folder, so a C++ compiler and Cython must be there.
    """
    name = "ppocr.postprocess.pse_postprocess.pse_postprocess"
    before = Path.cwd()
    os.chdir(paddleocr_folder())
    try:
        return _module(name).PSEPostProcess(**settings)
    finally:
        os.chdir(before)


def fce_post_process(**settings: Any) -> Any:
    """Return PaddleOCR's own FCEPostProcess with these settings."""
    return _module("ppocr.postprocess.fce_postprocess").FCEPostProcess(**settings)


def ct_post_process(**settings: Any) -> Any:
    """Return PaddleOCR's own CTPostProcess with these settings."""
    return _module("ppocr.postprocess.ct_postprocess").CTPostProcess(**settings)


def ctc_label_decode(keys: Path) -> Any:
    """Return PaddleOCR's own CTCLabelDecode, with the space as the last character."""
    decoder = _module("ppocr.postprocess.rec_postprocess").CTCLabelDecode
    return decoder(character_dict_path=str(keys), use_space_char=True)


def sequence_label_decode(name: str) -> Any:
    """Return PaddleOCR's own AttnLabelDecode or SRNLabelDecode for its 36 digits and letters."""
    return getattr(_module("ppocr.postprocess.rec_postprocess"), name)()


def text_recognizer(folder: Path, algorithm: str, shape: str) -> Any:
    """Return PaddleOCR's own TextRecognizer for digits and letters, on one thread.

    Args:
        folder: The folder with the exported network.
        algorithm: PaddleOCR's name of the algorithm, such as "SVTR".
        shape: Channels, height and width of the input, such as "3,32,100".
    """
    options = _module("tools.infer.utility").init_args().parse_args([])
    options.rec_model_dir, options.rec_algorithm = str(folder), algorithm
    options.rec_image_shape, options.rec_char_dict_path = shape, None
    options.use_space_char = options.use_gpu = options.enable_mkldnn = False
    options.cpu_threads = options.rec_batch_num = 1
    recognizer = _module("tools.infer.predict_rec").TextRecognizer
    if algorithm in CRASHING:
        from paddle import inference

        switch = inference.Config.switch_ir_optim
        with patch.object(inference.Config, "switch_ir_optim", lambda own, _: switch(own, False)):
            return recognizer(options)
    return recognizer(options)


def perspective_crop(picture: NDArray[np.uint8], quad: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Cut out a quad with PaddleOCR's own get_rotate_crop_image, which turns tall crops by 90°."""
    crop = _module("tools.infer.utility").get_rotate_crop_image(picture, quad.astype(np.float32))
    return np.ascontiguousarray(crop)


class Network:
    """A Paddle inference model run on the CPU exactly as it was exported.

    IR optimization and oneDNN are off, so no operator is fused or replaced; one thread, so the
    order of every sum, and with it the result, is always the same. With `passes` Paddle optimizes
    the program first, which shows how far float32 rounding alone moves the output.
    """

    def __init__(
        self,
        folder: Path,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        passes: bool = False,
    ) -> None:
        config = inference.Config(
            str(folder / "inference.pdmodel"), str(folder / "inference.pdiparams")
        )
        config.disable_gpu()
        config.disable_mkldnn()
        config.switch_ir_optim(passes)
        config.set_cpu_math_library_num_threads(1)
        config.disable_glog_info()
        self._predictor = inference.create_predictor(config)
        self._mean = np.array(mean, np.float32)
        self._std = np.array(std, np.float32)

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the first output for images uint8 BGR [N, H, W, 3], whose channels stay in order.

        The network sees (image / 255 - mean) / std in float32, as NCHW.
        """
        scaled = images.astype(np.float32) * np.float32(1 / 255)
        normalized = (scaled - self._mean) / self._std
        batch = np.ascontiguousarray(normalized.transpose(0, 3, 1, 2))
        predictor = self._predictor
        predictor.get_input_handle(predictor.get_input_names()[0]).copy_from_cpu(batch)
        predictor.run()
        return predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu()
