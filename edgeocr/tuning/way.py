"""A way to run a bundle: where each stage runs, with which graph, options and threads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..bench.settings import Settings
from ..runtime.providers import AUTO
from ..tuned.record import Candidate

if TYPE_CHECKING:
    from ..ocr import OCR

FP32 = "fp32"


@dataclass(frozen=True)
class Way:
    """How a process opens its `OCR`.

    Attributes:
        provider: The execution provider of each stage; stages that are not named are "auto".
        variant: The graph of each stage; the others take the one that suits.
        provider_options: Options of ONNX Runtime by provider and name, beside the caller's.
        threads: CPU threads; None for the default of `OCR`.
        batch: The most lines in a run on providers with fixed shapes; None for the bundle's number.
        tuned: Path of the tuned file that "auto" obeys; None to obey none.
        fixed: Stages whose inputs are padded to fixed shapes on any provider, unless the caller
            has said something about fixed shapes.
    """

    provider: dict[str, str] = field(default_factory=dict)
    variant: dict[str, str] = field(default_factory=dict)
    provider_options: dict[str, dict[str, str]] = field(default_factory=dict)
    threads: int | None = None
    batch: int | None = None
    tuned: str | None = None
    fixed: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, taken: Mapping[str, Candidate], threads: int | None = None) -> Way:
        """Return the way to run each stage on a candidate, of which one has options at most."""
        options: dict[str, dict[str, str]] = {}
        for each in taken.values():
            if each.options:
                options.setdefault(each.provider, {}).update(each.options)
        return cls(
            {stage: each.provider for stage, each in taken.items()},
            {stage: each.variant for stage, each in taken.items()},
            options,
            threads,
        )


@dataclass(frozen=True)
class Request:
    """What a process of `edgeocr tune` or `edgeocr warm` is asked to open.

    Attributes:
        bundle: Path of the bundle; None for the one in the package.
        settings: The other arguments of `OCR`.
        way: How its stages run.
        fp16: As for `RuntimeOptions`.
        bf16: As for `RuntimeOptions`.
        fixed_shapes: As for `RuntimeOptions`.
        images: Paths of the pictures.
    """

    bundle: str | None
    settings: Settings
    way: Way
    fp16: bool
    bf16: bool
    fixed_shapes: bool | None
    images: list[str]

    def to_json(self) -> str:
        """Return the request as the process reads it."""
        return json.dumps(asdict(self))

    def on(self, way: Way) -> Request:
        """Return the same request for another way."""
        return replace(self, way=way)

    def exactly(self, way: Way) -> Request:
        """Return the same request for another way, in which nothing may compute less exactly."""
        options = self.settings.provider_options
        cpu = {name: each for name, each in options.items() if name == "cpu"}
        settings = replace(self.settings, provider_options=cpu)
        return replace(self, settings=settings, way=way, fp16=False, bf16=False)

    def open(self) -> OCR:
        """Open the `OCR`.

        Raises:
            EdgeOCRError: The bundle or a provider does not work.
        """
        from ..ocr import OCR
        from ..runtime.options import RuntimeOptions

        settings, way = self.settings, self.way
        given: dict[str, dict[str, Any]] = {
            name: dict(each) for name, each in settings.provider_options.items()
        }
        for name, options in way.provider_options.items():
            given[name] = {**given.get(name, {}), **options}
        return OCR(
            self.bundle,
            provider=way.provider or AUTO,
            threads=way.threads,
            max_pixels=settings.max_pixels,
            memory_limit=settings.memory_limit,
            require_signature=settings.require_signature,
            expect_digest=settings.expect_digest,
            runtime=RuntimeOptions(
                provider_options=given,
                fp16=self.fp16,
                bf16=self.bf16,
                # A tuned file counts for the same options only, so none is given without need.
                fixed_shapes=dict.fromkeys(way.fixed, True) or None
                if self.fixed_shapes is None
                else self.fixed_shapes,
                engine_cache=settings.engine_cache,
                cpus=settings.cpus,
                variant=way.variant or None,
                batch=way.batch,
                tuned=False if way.tuned is None else way.tuned,
            ),
        )
