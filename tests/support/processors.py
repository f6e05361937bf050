"""Environments that make NumPy and OpenBLAS compute as other processors would."""

# Only SSE for NumPy, and the kernels of a processor of 2008 for OpenBLAS.
OLD_PROCESSOR = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR AVX2 FMA3 AVX512F "
    "AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL",
    "OPENBLAS_CORETYPE": "Nehalem",
}
