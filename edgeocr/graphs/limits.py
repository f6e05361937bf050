"""Limits of the numbers in a graph. All are far above those of the networks in tests/zoo."""

# Dimensions of a tensor. The networks have up to 5.
MAX_RANK = 8
# A dimension, and the sides of a picture.
MAX_SIDE = 1 << 31
# Kernels, strides, dilations and paddings of a window. The largest kernel is 9.
MAX_WINDOW = 1024
# Groups, units of a recurrent layer, outputs of a node.
MAX_CHANNELS = 1 << 16
MAX_OUTPUTS = 1024
MAX_BLOCK = 64
# The longest value of a text attribute is "pytorch_half_pixel"; equations of `Einsum` are longer.
MAX_TEXT = 128
# Elements of a tensor whose shape is constant, and the factor by which one node enlarges a tensor.
MAX_ELEMENTS = 1 << 26
MAX_FACTOR = 1 << 12
