"""The options that a session is created with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..device.cpus import has_bf16, has_vnni
from .arena import use_shared_arena
from .onnx_runtime import FATAL_ONLY, import_onnxruntime
from .placement import Placement
from .providers import Provider

if TYPE_CHECKING:
    import onnxruntime


def session_options(
    provider: Provider, placement: Placement, precision: str, threads: int
) -> onnxruntime.SessionOptions:
    """Return the options for a session.

    Args:
        provider: The execution provider that the session runs on.
        placement: The caller's choice of providers and options.
        precision: The precision of the graph, as the manifest names it.
        threads: CPU threads of a run.
    """
    options = import_onnxruntime().SessionOptions()
    options.log_severity_level = FATAL_ONLY
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Memory plans are made per input shape, and shapes vary so much that plans would only pile up.
    options.enable_mem_pattern = False
    # Threads that spin while they wait for the next operator make detection 6 % faster on an idle
    # machine, for 10 % more work, and up to three times slower where another process needs the
    # core too.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    use_shared_arena(options, placement.arena_limit)
    if precision == "int8" and not has_vnni():
        # Without VNNI, x86 sums products of uint8 and int8 in 16 bits, which may overflow. This
        # option turns weights into uint8, whose products are slower and correct. It isn't set
        # where there is VNNI, because ONNX Runtime would slow it down there as well.
        options.add_session_config_entry("session.x64quantprecision", "1")
    elif precision == "fp16" and provider.limits_fp16_optimization:
        level = import_onnxruntime().GraphOptimizationLevel
        options.graph_optimization_level = level.ORT_ENABLE_BASIC
    if placement.options.bf16 and has_bf16():
        options.add_session_config_entry("mlas.enable_gemm_fastmath_arm64_bfloat16", "1")
    return options
