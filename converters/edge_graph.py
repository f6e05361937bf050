"""Make the edge graph of a plain graph: the same network behind the interface of its task.

A plain graph takes `x`, normalized float32 NCHW, and returns what the network computes. An edge
graph takes uint8 NHWC in BGR, normalizes it inside the graph, and returns only what the decoder
needs, so that little data travels to an accelerator and back. `CONTRACTS` lists the names of each
algorithm's input and outputs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from .catalog.entries import Normalize
from .edge_nodes import GREY_BITS, GREY_WEIGHTS, Wrapper, normalization
from .errors import TranslationError
from .graph import share_of_width, warping
from .graph.editor import IR_VERSION, checked, remove_dead, rename
from .graph.interface import Interface, Port, examine, further_input, is_ratio
from .model.families import FAMILIES
from .model.network import Network

# Algorithm → (input, {output: its channels in the plain graph}). None stands for a number that
# depends on the classes, as that of PGNet's `characters`.
CONTRACTS: dict[str, tuple[str, dict[str, int | None]]] = {
    "DB": ("image", {"probability": 1}),
    "EAST": ("image", {"score": 1, "geometry": 8}),
    "SAST": ("image", {"tcl": 1, "border": 4, "tvo": 8, "tco": 2}),
    "PSE": ("image", {"kernels": 7}),
    # The levels have equally many channels, and are told apart by their order.
    "FCE": ("image", {"level_8": 26, "level_16": 26, "level_32": 26}),
    # CT's other output, the score, is the sigmoid of the first of these maps.
    "CT": ("image", {"kernel_and_offsets": 3}),
    "PGNet": ("image", {"tcl": 1, "border": 4, "direction": 2, "characters": None}),
    "CLS": ("crops", {"probability": None}),
    "PageCLS": ("image", {"probability": None}),
    "UVDoc": ("image", {"grid": 2}),
    **{
        algorithm: ("crops", {"indices": None, "scores": None})
        for algorithm in FAMILIES
        if algorithm != "PGNet"
    },
}
# What is compared where graphs unwarp: the flat page.
PICTURE = "picture"
# The tasks whose networks give the probability of each class.
CLASSIFYING = ("page_orientation", "orientation")


def make(plain: bytes, network: Network, interface: Interface) -> bytes:
    """Wrap the plain graph of a network; return the edge graph as a serialized model.

    The arguments and errors are those of `wrapped`.
    """
    return checked(wrapped(plain, network, interface))


def wrapped(plain: bytes, network: Network, interface: Interface) -> onnx.ModelProto:
    """Wrap the plain graph of a network; return the edge graph.

    Args:
        plain: The plain graph.
        network: What the network is.
        interface: The plain graph's interface.

    Raises:
        TranslationError: The interface is not that of the network's algorithm.
    """
    if network.algorithm == "UVDoc":
        # The runtime samples the picture itself: a grid of places is little data for pictures of
        # any size, and it says where in the picture is what was found on the flat page.
        plain = warping.reduced(plain)
        interface = examine(plain)
    model = onnx.load_from_string(plain)
    graph = model.graph
    normalize = network.normalize
    taken = interface.image.shape[1]
    channels = 1 if normalize.colour == "GREY" else 3
    if taken not in (channels, None):
        raise TranslationError(
            f"{network.name}: the network takes {taken} channels, {normalize.colour} has {channels}"
        )
    sources = _sources(network, interface)
    input_name, output_names = CONTRACTS[network.algorithm]
    interface = _out_of_the_way(graph, interface, [input_name, *output_names])
    image = interface.image
    wrapper = Wrapper(model)
    del graph.output[:]
    wrapper.normalize(input_name, image.name, normalize)
    for position, port in enumerate(interface.inputs[1:], 1):
        if is_ratio(port):
            wrapper.share(image, port)
        else:
            wrapper.repeat(input_name, further_input(interface.inputs, position), port.name)
    height, width = sizes(interface, network)
    declared = {"height": height or "H", "width": width or "W"}
    number = image.shape[0] or "N"
    wrapper.declare_input(input_name, [number, declared["height"], declared["width"], 3])
    if network.task == "recognition":
        position, readout = sources["indices"], FAMILIES[network.algorithm].readout
        name = interface.outputs[position].name
        if readout.chosen is not None:
            wrapper.take(name, interface.outputs[readout.chosen].name, readout.first)
        else:
            wrapper.choose(name, softmaxed=interface.softmaxed[position], readout=readout)
    elif network.task in CLASSIFYING:
        source = interface.outputs[sources["probability"]].name
        wrapper.add("Identity", [source], "probability")
        wrapper.declare_output("probability", TensorProto.FLOAT, ["N", "classes"])
    else:
        for name, position in sources.items():
            port = interface.outputs[position]
            if port.shape[1] == 1:
                wrapper.squeeze(port.name, 1, name)
                # DB's map is as large as the image; the maps of other algorithms are smaller.
                high, wide = ("H", "W") if network.algorithm == "DB" else ("h", "w")
                wrapper.declare_output(name, TensorProto.FLOAT, ["N", high, wide])
            else:
                wrapper.add("Identity", [port.name], name)
                # Each of FCE's levels has a size of its own.
                level = str(position) if network.algorithm == "FCE" else ""
                shape: list[str | int] = ["N", port.shape[1] or "C", f"h{level}", f"w{level}"]
                wrapper.declare_output(name, TensorProto.FLOAT, shape)
    graph.node.extend(wrapper.after)
    for node in reversed(wrapper.before):
        graph.node.insert(0, node)
    remove_dead(graph)  # nodes whose outputs nothing reads
    graph.name = network.name
    model.ir_version = max(IR_VERSION, helper.find_min_ir_version_for(model.opset_import))
    model.producer_name, model.producer_version, model.doc_string = "edgeocr", "", ""
    return model


def _out_of_the_way(graph: onnx.GraphProto, interface: Interface, names: list[str]) -> Interface:
    """Rename values of the graph that have these names, such as Paddle 1's `image`.

    Returns:
        The interface with the new names.
    """
    new = {name: f"plain.{name}" for name in names}
    rename(graph, new)

    def renamed(ports: list[Port]) -> list[Port]:
        return [replace(port, name=new.get(port.name, port.name)) for port in ports]

    return replace(interface, inputs=renamed(interface.inputs), outputs=renamed(interface.outputs))


def sizes(interface: Interface, network: Network) -> tuple[int | None, int | None]:
    """Return the height and width in pixels that the graph or the entry fixes, or else None."""
    if network.algorithm == "UVDoc":
        return warping.SEEN
    _, _, height, width = interface.image.shape
    return height or network.height, width or network.width


def to_plain_inputs(
    images: NDArray[Any], normalize: Normalize, interface: Interface
) -> list[NDArray[Any]]:
    """Return the inputs that the edge graph makes of images for the plain graph inside it.

    Args:
        images: uint8 [N, H, W, 3] BGR.
        normalize: How their pixels are normalized.
        interface: The plain graph's interface.

    Returns:
        The images, float32 [N, C, H, W], and then the inputs that the network has beside them.
    """
    pixels = images.transpose(0, 3, 1, 2)
    if normalize.colour == "RGB":
        pixels = pixels[:, ::-1]
    if normalize.colour == "GREY":
        weights = np.array(GREY_WEIGHTS).reshape(1, 3, 1, 1)
        summed = (pixels * weights).sum(axis=1, keepdims=True)
        pixels = (summed + (1 << GREY_BITS >> 1)) >> GREY_BITS
    scale, mean, std = normalization(normalize)
    planes = np.ascontiguousarray(pixels).astype(np.float32)
    inputs = [np.asarray((planes * scale - mean) / std)]
    for position, port in enumerate(interface.inputs[1:], 1):
        value = np.repeat(further_input(interface.inputs, position), len(images), axis=0)
        if is_ratio(port):
            value = share_of_width.of_images(images).reshape(value.shape)
        inputs.append(value)
    return inputs


def to_edge_outputs(
    outputs: list[NDArray[Any]], network: Network, interface: Interface, number: int
) -> dict[str, NDArray[Any]]:
    """Compute the edge graph's outputs from those of the plain graph inside it.

    UVDoc's plain graph gives the flat page, which `to_compared` makes of the edge graph's grid.

    Args:
        outputs: The plain graph's outputs, in order.
        network: What the network is.
        interface: The plain graph's interface.
        number: The number of images.

    Returns:
        The values by which graphs are compared, by the names that `compared` returns.
    """
    if network.algorithm == "UVDoc":
        return {PICTURE: outputs[0]}
    sources = _sources(network, interface)
    if network.task == "recognition":
        position, readout = sources["indices"], FAMILIES[network.algorithm].readout
        if readout.chosen is not None:
            both = (outputs[position], outputs[readout.chosen])
            chosen, scores = (each[:, readout.first :] for each in both)
            return {"indices": chosen.astype(np.int32), "scores": scores}
        found = probabilities(outputs, network, interface, number)
        return {"indices": found.argmax(axis=2).astype(np.int32), "scores": found.max(axis=2)}
    named = {name: outputs[position] for name, position in sources.items()}
    return {
        name: value[:, 0] if value.ndim == 4 and value.shape[1] == 1 else value
        for name, value in named.items()
    }


def probabilities(
    outputs: list[NDArray[Any]], network: Network, interface: Interface, number: int
) -> NDArray[Any]:
    """Return the probabilities from which a recognition network's choices are made.

    The arguments are those of `to_edge_outputs`; the network leaves the choices to the decoder.

    Returns:
        float32 [N, T, C], of the positions that belong to texts.
    """
    position, readout = _sources(network, interface)["indices"], FAMILIES[network.algorithm].readout
    found = outputs[position]
    if not interface.softmaxed[position]:
        powers = np.exp(found - found.max(axis=-1, keepdims=True))
        found = powers / powers.sum(axis=-1, keepdims=True)
    if readout.flat:
        found = found.reshape(number, -1, found.shape[-1])
    if readout.transposed:
        found = found.transpose(1, 0, 2)
    return found[:, readout.first : found.shape[1] - readout.last]


def to_compared(
    outputs: dict[str, NDArray[Any]], network: Network, feed: list[NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Return outputs of the edge graph in the form that `to_edge_outputs` has.

    Args:
        outputs: The edge graph's outputs by name.
        network: What the network is.
        feed: The plain graph's inputs for the same images.
    """
    if network.algorithm == "UVDoc":
        return {PICTURE: warping.unwarped(feed[0], outputs["grid"])}
    return outputs


def compared(network: Network) -> list[str]:
    """Return the names of the values by which graphs are compared."""
    return [PICTURE] if network.algorithm == "UVDoc" else list(CONTRACTS[network.algorithm][1])


def _sources(network: Network, interface: Interface) -> dict[str, int]:
    """Return the position of the plain output that each edge output is made from."""
    _, wanted = CONTRACTS[network.algorithm]
    if network.task == "recognition":
        readout = FAMILIES[network.algorithm].readout
        if len(interface.outputs) == readout.outputs:
            return dict.fromkeys(wanted, readout.position)
    elif network.task in CLASSIFYING:
        if len(interface.outputs) == 1 and len(interface.outputs[0].shape) == 2:
            return dict.fromkeys(wanted, 0)
    elif network.algorithm == "FCE":
        if [port.shape[1:2] for port in interface.outputs] == [[n] for n in wanted.values()]:
            return {name: position for position, name in enumerate(wanted)}
    else:
        by_channels = interface.outputs_by_channels()
        known = {name: by_channels.pop(number, -1) for name, number in wanted.items() if number}
        for name, number in wanted.items():
            if number is None and len(by_channels) == 1:
                known[name] = by_channels.popitem()[1]
        if -1 not in known.values() and len(known) == len(wanted):
            return {name: known[name] for name in wanted}
    raise TranslationError(
        f"{network.name}: {network.algorithm} gives {', '.join(wanted)}, but this graph's outputs "
        f"have the shapes {[port.shape for port in interface.outputs]}"
    )
