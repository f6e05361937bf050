"""The settings of `OCR` that a measurement uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..ocr import OCR


# How often each picture is read one by one, and again in a stream.
REPEAT = 20


@dataclass(frozen=True)
class RecordedSettings:
    """The settings that affect times, as the result file names them.

    Attributes:
        cpus: The CPUs to run on; None for all.
        fp16: Whether lower precision is allowed where the provider supports it.
        provider_options: Options of ONNX Runtime by provider and name.
        memory_limit: The memory limit in bytes; None for the bundle's.
        max_pixels: The most pixels at which a picture is detected; None for the bundle's number.
        variant: The graph to take in stages that have several, for all or by stage; None for the
            one that suits the device best.
    """

    cpus: list[int] | None = None
    fp16: bool = False
    provider_options: dict[str, dict[str, str]] = field(default_factory=dict)
    memory_limit: int | None = None
    max_pixels: int | None = None
    variant: Any = None

    def to_dict(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class Settings:
    """The arguments of `OCR` beside the bundle and the provider, as plain values.

    Attributes:
        recorded: The settings that affect times.
        threads: The number of CPU threads; None for the default of `OCR`.
        engine_cache: Folder with TensorRT engines; None for the default of `OCR`.
        require_signature: Path of a public key; None to accept unsigned bundles.
        expect_digest: The digest that the bundle must have; None to accept any.
    """

    recorded: RecordedSettings = field(default_factory=RecordedSettings)
    threads: int | None = None
    engine_cache: str | None = None
    require_signature: str | None = None
    expect_digest: str | None = None

    def open(self, bundle: str | None, provider: str | Mapping[str, str]) -> OCR:
        """Open an `OCR` with these settings.

        Args:
            bundle: Path of the bundle; None for the one in the package.
            provider: The execution provider.

        Raises:
            EdgeOCRError: If the bundle or the provider does not work.
        """
        from ..ocr import OCR
        from ..runtime.options import RuntimeOptions

        return OCR(
            bundle,
            provider=provider,
            threads=self.threads,
            max_pixels=self.recorded.max_pixels,
            memory_limit=self.recorded.memory_limit,
            require_signature=self.require_signature,
            expect_digest=self.expect_digest,
            runtime=RuntimeOptions(
                provider_options=self.recorded.provider_options,
                fp16=self.recorded.fp16,
                engine_cache=self.engine_cache,
                cpus=self.recorded.cpus,
                variant=self.recorded.variant,
            ),
        )
