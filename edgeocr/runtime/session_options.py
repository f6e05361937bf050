"""The options that a session is created with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..device.cpus import has_bf16, has_vnni
from . import int8
from .arena import use_shared_arena
from .onnx_runtime import FATAL_ONLY, import_onnxruntime, version
from .placement import Placement
from .providers import Provider

if TYPE_CHECKING:
    import onnxruntime


# How long a thread spins between two operators before it sleeps, in microseconds. Waking a thread
# takes as long as an operator on a small map, and most operators follow the one before within this
# time. Detection takes 0.93 of the time without spinning, for no more CPU time; where another
# process needs a core too, a page takes 0.97 to 1.00. Spinning for 100 microseconds saves another
# 1 % of a page's time, but costs 1 % beside another process, and a millisecond costs 15 % there.
SPIN = 20
# The version of ONNX Runtime from which the time can be chosen. Older ones spin for milliseconds.
SPINS_BRIEFLY = (1, 26)


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
    _set_spinning(options, threads)
    use_shared_arena(options, placement.arena_limit)
    if precision == "int8" and int8.is_wrong(version()):
        # The graph is computed in float32 with the weights and the rounding of int8.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    elif precision == "int8" and not has_vnni():
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


def _set_spinning(options: onnxruntime.SessionOptions, threads: int) -> None:
    """Let the threads of a run spin briefly between two operators, where ONNX Runtime can."""
    spins = threads > 1 and version() >= SPINS_BRIEFLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spins else "0")
    if spins:
        options.add_session_config_entry("session.intra_op.spin_duration_us", str(SPIN))
