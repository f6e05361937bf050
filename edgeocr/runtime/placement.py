"""Where a caller wants the stages of a bundle to run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .failures import Failures
from .options import RuntimeOptions
from .providers import AUTO, Provider, check_provider_choice
from .shipped_engines import ShippedEngines
from .tensorrt_cache import engine_root


@dataclass(frozen=True)
class Placement:
    """A caller's choice of providers and options, checked when it is made.

    Attributes:
        provider: A provider's name, "auto" for the best that works here, or a mapping of stages to
            such names; stages that it doesn't name are "auto".
        options: Further options of the caller.
        graphs_digest: The digest of the bundle's graphs and input shapes, by which its TensorRT
            engines are found.
        engine_root: Folder that holds a folder of TensorRT engines for each bundle and device;
            None if engines can't be kept.
        shipped_engines: The TensorRT engines in the bundle, one for each kind of device; empty if
            the caller names a folder to look for engines in.
        arena_limit: The most bytes that runs on the CPU may take; None sets no limit.
        failures: The devices that have been lost since the bundle was opened.

    Raises:
        ValueError: A provider is unknown.
        TypeError: `provider` is neither a name nor a mapping.
    """

    provider: str | Mapping[str, str] = AUTO
    options: RuntimeOptions = field(default_factory=RuntimeOptions)
    graphs_digest: str = ""
    engine_root: Path | None = None
    shipped_engines: tuple[ShippedEngines, ...] = ()
    arena_limit: int | None = None
    failures: Failures = field(default_factory=Failures, compare=False)

    def __post_init__(self) -> None:
        """Check the names of the providers."""
        if isinstance(self.provider, str):
            check_provider_choice(self.provider)
        elif isinstance(self.provider, Mapping):
            for name in self.provider.values():
                check_provider_choice(name)
        else:
            raise TypeError(
                "provider must be a name or a mapping of stages to names, not "
                f"{self.provider!r:.80}"
            )

    @classmethod
    def for_bundle(
        cls,
        provider: str | Mapping[str, str],
        options: RuntimeOptions,
        *,
        path: Path,
        graphs_digest: str,
        stages: Collection[str],
        shipped_engines: Sequence[ShippedEngines] = (),
    ) -> Placement:
        """Apply a caller's choice to a bundle.

        Args:
            provider: See `Placement.provider`.
            options: See `Placement.options`.
            path: The bundle's path, beside which its TensorRT engines may be.
            graphs_digest: The digest of the bundle's graphs and input shapes.
            stages: Names of the bundle's stages.
            shipped_engines: The TensorRT engines in the bundle.

        Raises:
            ValueError: A provider is unknown, or the bundle lacks a stage that `provider` names.
            TypeError: `provider` is neither a name nor a mapping.
        """
        placement = cls(
            provider,
            options,
            graphs_digest,
            engine_root(path, options.engine_cache),
            tuple(shipped_engines) if options.engine_cache is None else (),
        )
        if isinstance(provider, Mapping):
            for stage, name in provider.items():
                if stage not in stages:
                    raise ValueError(
                        f"the bundle has no stage {stage!r} to run on {name!r}, only "
                        + ", ".join(stages)
                    )
        return placement

    def provider_of(self, stage: str) -> str:
        """Return the name of the provider that is wanted for a stage, which may be "auto"."""
        if isinstance(self.provider, str):
            return self.provider
        return self.provider.get(stage, AUTO)

    def leaves_a_choice(self, stages: Iterable[str]) -> bool:
        """Return whether the provider of any of the stages is for edgeocr to choose."""
        return any(self.provider_of(stage) == AUTO for stage in stages)

    def fixes_shapes(self, provider: Provider, stage: str) -> bool:
        """Return whether a stage's inputs are padded to a fixed set of shapes on a provider."""
        wanted = self.options.fixed_shapes
        if isinstance(wanted, Mapping):
            wanted = wanted.get(stage)
        return not provider.any_shape if wanted is None else wanted
