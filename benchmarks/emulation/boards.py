"""The processors that QEMU stands in for, and what the kernel of their boards says about them."""

from __future__ import annotations

from dataclasses import dataclass

ARMV8_0 = "fp asimd evtstrm crc32 cpuid"
ARMV8_2 = (
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop "
    "asimddp"
)


@dataclass(frozen=True)
class Processor:
    """A processor of Arm.

    ONNX Runtime asks the kernel for the core's part number and its features, and chooses its
    kernels by them. QEMU 7.2 doesn't answer these questions: its processes see the files of the
    machine that it runs on.

    Attributes:
        name: QEMU's name.
        board: A board that has it.
        part: Its part number, as the kernel prints it.
        features: Its features in the kernel's words; "asimddp" stands for dot products.
    """

    name: str
    board: str
    part: str
    features: str

    def cpuinfo(self, cores: int = 4) -> str:
        """Return what the kernel of a board with this processor shows in /proc/cpuinfo.

        Args:
            cores: The number of cores.
        """
        return "\n".join(
            f"processor\t: {core}\nBogoMIPS\t: 108.00\nFeatures\t: {self.features}\n"
            f"CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n"
            f"CPU part\t: {self.part}\nCPU revision\t: 3\n"
            for core in range(cores)
        )


PROCESSORS = {
    each.name: each
    for each in (
        Processor("cortex-a72", "Raspberry Pi 4", "0xd08", ARMV8_0),
        Processor("cortex-a76", "Raspberry Pi 5", "0xd0b", ARMV8_2),
        Processor("neoverse-n1", "servers", "0xd0c", f"{ARMV8_2} ssbs"),
    )
}
