"""A made-up proof."""

from __future__ import annotations

from benchmarks.proof.record import (
    SCHEMA,
    Proof,
    RecordedBundle,
    RecordedGPU,
    RecordedMachine,
    Table,
    Verdict,
)

TABLE = Table(
    "Pages <in turn>",
    ["cell", "median ms", "rounds", "recorded", "÷ CPU"],
    [["cuda | fp32", 12.3456, 7, True, None], ["cpu & more", 25.0, 7, False, 1.0]],
)
PROOF = Proof(
    schema=SCHEMA,
    edgeocr="0.3.0",
    commit="abc1234",
    when="2027-01-02T03:04:05+00:00",
    minutes=10.0,
    seconds=123.4,
    interrupted=False,
    stand_in=None,
    machine=RecordedMachine(
        cpu="A <Processor>",
        cpus=8,
        cpus_available=6,
        os="Linux",
        architecture="aarch64",
        python="3.10.12",
        gpus=[RecordedGPU("NVIDIA <GPU>", "8.7", 8 << 30)],
        driver="580.1",
        libraries={"cuda": "12.6"},
    ),
    packages={"onnxruntime-gpu": "1.32.0"},
    bundle=RecordedBundle("tiny", "ab" * 32, ["fp32", "int8"]),
    pictures=["a.jpg", "b<i>.jpg"],
    verdicts=[
        Verdict("speed", "The GPU is faster.", "holds", "for cuda fp32", 12.3, [TABLE]),
        Verdict("lower precision", "Same <b>texts</b>.", "fails", "it <script>reads</script>", 1.0),
        Verdict("memory", "Memory is flat.", "not tried", "no time left", 0.0),
    ],
)
