"""Choose an execution provider, threads and a memory limit, and see what was chosen.

python examples/choose_device.py tests/images/sample.jpg auto
"""

import sys

from edgeocr import OCR, ProviderUnavailableError, RuntimeOptions

source, provider = sys.argv[1:3]
options = RuntimeOptions(
    provider_options={"cuda": {"device_id": 0}},  # used only if CUDA is
    fp16=False,  # True lets TensorRT and CUDA compute less precisely and faster
)
try:
    ocr = OCR(provider=provider, threads=2, memory_limit="400MB", runtime=options)
except ProviderUnavailableError as error:
    sys.exit(f"{provider} does not start here: {error}")

with ocr:
    for stage, warmed in ocr.warm_up().items():
        print(f"{stage} runs on {warmed.provider}")
    for reason in ocr.skipped_providers:
        print(f"skipped: {reason}")
    print(f"{len(ocr.read(source))} lines")
