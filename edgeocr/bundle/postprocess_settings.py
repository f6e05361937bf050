"""The types of the settings of post-processing, one for each algorithm of detection or spotting.

`manifest` puts them into the stages; the functions in `edgeocr.postprocess` take their values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from . import limits
from .fields import Natural, Positive, Range, Share

# The shape of regions: quads, or polygons that follow curved lines.
Shape: TypeAlias = Literal["quad", "polygon"]


@dataclass(frozen=True)
class DBSettings:
    """Numbers of DB's post-processing (Liao et al. 2019), which `postprocess.db` takes.

    Attributes:
        threshold: A pixel with a higher probability belongs to text.
        box_threshold: The least mean probability of a region.
        unclip_ratio: A region grows by area · ratio / perimeter on each side.
        max_candidates: The most contours of an image that are examined.
        dilation: Whether the map of text pixels is dilated before contours are traced.
        score: Whether a quad's mean probability is taken inside the quad or inside the contour.
        shape: Whether regions are quads or polygons.
    """

    threshold: Share
    box_threshold: Share
    unclip_ratio: Annotated[float, Range(0, 10)]
    max_candidates: Positive
    dilation: bool
    score: Literal["box", "polygon"]
    shape: Shape


@dataclass(frozen=True)
class EASTSettings:
    """Numbers of EAST's post-processing (Zhou et al. 2017), which `postprocess.east` takes.

    Attributes:
        score_threshold: A pixel with a higher score proposes a quad.
        cover_threshold: A merged quad is kept if the mean score over it is higher.
        nms_threshold: Quads whose intersection over union is higher are merged.
    """

    score_threshold: Share
    cover_threshold: Share
    nms_threshold: Share


@dataclass(frozen=True)
class SASTSettings:
    """Numbers of SAST's post-processing (Wang et al. 2019), which `postprocess.sast` takes.

    Attributes:
        score_threshold: A pixel with a higher score lies on a centre line.
        nms_threshold: Quads whose intersection over union is higher are merged.
        sample_points: The number of points on each centre line; a polygon has twice as many.
        expand_scale: The factor by which the distances from centre line to borders are multiplied.
        shrink_ratio_of_width: The share of a text's height by which it grows at each end.
        shape: Whether regions are quads or polygons.
    """

    score_threshold: Share
    nms_threshold: Share
    sample_points: Annotated[int, Range(2, limits.POINTS)]
    expand_scale: Annotated[float, Range(0.1, 10)]
    shrink_ratio_of_width: Annotated[float, Range(0, 10)]
    shape: Shape


@dataclass(frozen=True)
class PSESettings:
    """Numbers of PSENet's post-processing (Wang et al. 2019), which `postprocess.pse` takes.

    Attributes:
        threshold: A pixel with a larger logit belongs to a kernel; 0 is the probability 0.5.
        box_threshold: The least mean probability of a text.
        minimum_area: The least number of pixels of a text and of its smallest kernel.
        scale: The size of the pixels on which kernels grow, in pixels of the input: 1, 2 or 4.
        shape: Whether regions are quads or polygons.
    """

    threshold: Annotated[float, Range(-100, 100)]
    box_threshold: Share
    minimum_area: Natural
    scale: Literal[1, 2, 4]
    shape: Shape


@dataclass(frozen=True)
class FCESettings:
    """Numbers of FCENet's post-processing (Zhu et al. 2021), which `postprocess.fce` takes.

    Attributes:
        score_threshold: A pixel with a higher score proposes an outline.
        nms_threshold: Outlines whose intersection over union is higher are taken for one text.
        region_power: The power of the region's probability in the score.
        center_power: The power of the center's probability in the score.
        shape: Whether regions are quads or polygons.
    """

    score_threshold: Share
    nms_threshold: Share
    region_power: Annotated[float, Range(0, 10)]
    center_power: Annotated[float, Range(0, 10)]
    shape: Shape


@dataclass(frozen=True)
class CTSettings:
    """Numbers of CentripetalText's post-processing (Sheng et al. 2021), for `postprocess.ct`.

    Attributes:
        score_threshold: The least mean probability of a text's kernel.
        minimum_area: The least number of pixels of the input that a text has.
        shape: Whether regions are quads or polygons.
    """

    score_threshold: Share
    minimum_area: Natural
    shape: Shape


DetectionSettings: TypeAlias = (
    DBSettings | EASTSettings | SASTSettings | PSESettings | FCESettings | CTSettings
)


@dataclass(frozen=True)
class PGNetSettings:
    """The thresholds and limits with which `postprocess.pgnet` decodes (Wang et al. 2021).

    Attributes:
        score_threshold: A pixel with a higher score lies on a centre line.
        expand_scale: The factor by which the distances from centre line to borders are multiplied.
        shrink_ratio_of_width: The share of a text's height by which it grows at each end.
        minimum_points: The least number of points on a centre line.
        minimum_characters: The least number of characters of a text.
        gather: Whether classes are read at the line's own points, or also between them ("align").
    """

    score_threshold: Share
    expand_scale: Annotated[float, Range(0.1, 10)]
    shrink_ratio_of_width: Annotated[float, Range(0, 10)]
    minimum_points: Annotated[int, Range(2, limits.POINTS)]
    minimum_characters: Natural
    gather: Literal["points", "align"] = "points"
