"""Where a caller wants the stages of a bundle to run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .options import RuntimeOptions
from .providers import AUTO, Provider, check_provider_choice
from .tensorrt_cache import engine_root


@dataclass(frozen=True)
class Placement:
    """A caller's choice of providers and options, checked when it is made.

    Attributes:
        provider: A provider's name, "auto" for the best that works here, or a mapping of stages to
            such names; stages that it doesn't name are "auto".
        options: Further options of the caller.
        bundle_digest: The bundle's digest, by which its TensorRT engines are found.
        engine_root: Folder that holds a folder of TensorRT engines for each bundle and device;
            None if engines can't be kept.
        arena_limit: The most bytes that runs on the CPU may take; None sets no limit.

    Raises:
        ValueError: A provider is unknown.
        TypeError: `provider` is neither a name nor a mapping.
    """

    provider: str | Mapping[str, str] = AUTO
    options: RuntimeOptions = field(default_factory=RuntimeOptions)
    bundle_digest: str = ""
    engine_root: Path | None = None
    arena_limit: int | None = None

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
        digest: str,
        stages: Collection[str],
    ) -> Placement:
        """Apply a caller's choice to a bundle.

        Args:
            provider: See `Placement.provider`.
            options: See `Placement.options`.
            path: The bundle's path, beside which its TensorRT engines may be.
            digest: The bundle's digest.
            stages: Names of the bundle's stages.

        Raises:
            ValueError: A provider is unknown, or the bundle lacks a stage that `provider` names.
            TypeError: `provider` is neither a name nor a mapping.
        """
        placement = cls(provider, options, digest, engine_root(path, options.engine_cache))
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

    def fixes_shapes(self, provider: Provider) -> bool:
        """Return whether inputs of a provider are padded to a fixed set of shapes."""
        wanted = self.options.fixed_shapes
        return not provider.any_shape if wanted is None else wanted
