"""Run aarch64 programs under QEMU's user emulation, and count their instructions."""
