"""Arguments that say how pictures are read, shared by the commands that do so."""

from __future__ import annotations

import argparse
from typing import Literal


def add_reading_arguments(
    command: argparse.ArgumentParser, task: Literal["read", "detect", "recognize"] = "read"
) -> None:
    """Declare the arguments that have to do with a task.

    Args:
        command: The command's parser.
        task: What is done with pictures; reading them has all the arguments.
    """
    if task == "read":
        command.add_argument(
            "--no-orientation", action="store_true", help="do not turn lines that are upside down"
        )
        command.add_argument(
            "--no-upright",
            action="store_true",
            help="take pictures as they stand, turned or not",
        )
        command.add_argument("--no-unwarp", action="store_true", help="do not flatten bent pages")
        command.add_argument(
            "--no-split-gaps",
            action="store_true",
            help="do not cut lines that run over two columns of text or two cells of a table",
        )
    if task != "detect":
        command.add_argument(
            "--no-restore-spaces",
            action="store_true",
            help="do not add spaces between Latin words that the network has left out",
        )
    if task != "recognize":
        command.add_argument(
            "--reading-order",
            choices=("auto", "rows", "columns"),
            default="auto",
            help="read rows across the whole page, or each column to its end; default: auto, by "
            "where the lines stand",
        )
        command.add_argument(
            "--shape",
            choices=("quad", "polygon"),
            help="find quads, or polygons for curved lines, if the detector can; default: the "
            "bundle's choice",
        )


def add_word_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments that ask for words and characters."""
    command.add_argument(
        "--words",
        action="store_true",
        help="give each line its words and where they stand, and its characters if some are "
        "Chinese, Japanese or Korean; in JSON and on overlays",
    )
    command.add_argument(
        "--characters",
        action="store_true",
        help="give each line its words and its characters",
    )
