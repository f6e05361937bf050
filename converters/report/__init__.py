"""Report what a conversion did: report.json for programs, report.md for people."""

from .content import OutputDifference, Report, build, describe, describe_source
from .files import JSON, MARKDOWN, contents, read, write

__all__ = [
    "JSON",
    "MARKDOWN",
    "OutputDifference",
    "Report",
    "build",
    "contents",
    "describe",
    "describe_source",
    "read",
    "write",
]
