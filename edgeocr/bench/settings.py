"""The settings of `OCR` that a measurement uses in all cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..bundle.fields import Natural, Positive
from .matrix import Graphs

if TYPE_CHECKING:
    from ..ocr import OCR

# How often each picture is read one by one, and again in a stream.
REPEAT = 20


@dataclass(frozen=True)
class RecordedSettings:
    """The settings that affect times and hold for all cells, as the result file names them.

    Attributes:
        cpus: The CPUs to run on; None for all.
        provider_options: Options of ONNX Runtime by provider and name.
        memory_limit: The memory limit in bytes, where 0 is none; None for the bundle's.
        max_pixels: The most pixels at which a picture is detected; None for the bundle's number.
    """

    cpus: list[Natural] | None
    provider_options: dict[str, dict[str, str]]
    memory_limit: Natural | None
    max_pixels: Positive | None

    def changed(self) -> dict[str, object]:
        """Return the settings that differ from their defaults."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in values.items() if value not in (None, {})}


@dataclass(frozen=True)
class Settings:
    """The arguments of `OCR` that are the same in all cells, as plain values.

    Attributes:
        cpus: The CPUs to run on; None for all.
        provider_options: Options of ONNX Runtime by provider and name.
        memory_limit: The memory limit in bytes, where 0 is none; None for the bundle's.
        max_pixels: The most pixels at which a picture is detected; None for the bundle's number.
        engine_cache: Folder with TensorRT engines; None for the default of `OCR`.
        require_signature: Path of a public key; None to accept unsigned bundles.
        expect_digest: The digest that the bundle must have; None to accept any.
    """

    cpus: list[int] | None = None
    provider_options: dict[str, dict[str, str]] = field(default_factory=dict)
    memory_limit: int | None = None
    max_pixels: int | None = None
    engine_cache: str | None = None
    require_signature: str | None = None
    expect_digest: str | None = None

    @property
    def recorded(self) -> RecordedSettings:
        """Those that affect times, as the result file has them."""
        return RecordedSettings(
            self.cpus, self.provider_options, self.memory_limit, self.max_pixels
        )

    def open(self, bundle: str | None, provider: str, graphs: Graphs, threads: int | None) -> OCR:
        """Open an `OCR` with these settings.

        Args:
            bundle: Path of the bundle; None for the one in the package.
            provider: The execution provider, or "auto".
            graphs: The graphs to take.
            threads: CPU threads; None for the default of `OCR`.

        Raises:
            EdgeOCRError: If the bundle or the provider does not work.
        """
        from ..ocr import OCR
        from ..runtime.options import RuntimeOptions

        return OCR(
            bundle,
            provider=provider,
            threads=threads,
            max_pixels=self.max_pixels,
            memory_limit=self.memory_limit,
            require_signature=self.require_signature,
            expect_digest=self.expect_digest,
            runtime=RuntimeOptions(
                provider_options=self.provider_options,
                fp16=graphs.fp16,
                engine_cache=self.engine_cache,
                cpus=self.cpus,
                variant=graphs.variant,
            ),
        )
