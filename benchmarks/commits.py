"""The commit of the checkout that was measured."""

from __future__ import annotations

import subprocess

from .line_process import CHECKOUT


def commit() -> str | None:
    """Return the checkout's commit, with a plus if files differ from it; None without git."""
    git = ["git", "-C", str(CHECKOUT)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        )
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    except OSError:
        return None
    return head.stdout.strip() + "+" * bool(changed.stdout) if not head.returncode else None
