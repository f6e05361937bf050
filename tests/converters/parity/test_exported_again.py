"""Export the zoo again with Paddle."""

from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from tests.support.zoo_export import EACH, export
from tests.zoo.export import disagreements
from tests.zoo.names import EXPORTS

# The release of Paddle 3 that wrote the PIR programs that are stored.
PIR_WRITER = "3.3.1"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, str]]:
    """Return format → the folder with all networks exported again, and the script's messages."""

    @cache
    def made(form: str) -> tuple[Path, str]:
        folder = tmp_path_factory.mktemp(form)
        return folder, export(form, folder).stdout

    return made


@pytest.mark.parametrize(("name", "form"), EACH)
def test_exporting_a_network_again_gives_the_stored_files(exported, name, form):
    """The files are the same, and Paddle's outputs are the stored ones except for rounding."""
    folder, said = exported(form)
    # Another release of Paddle 3 may write programs differently.
    same_program = form == "legacy" or version("paddlepaddle") == PIR_WRITER
    for path in (EXPORTS / name / form).iterdir():
        again = folder / name / form / path.name
        assert again.is_file(), said[-3000:]
        if same_program or path.suffix != ".json":
            assert again.read_bytes() == path.read_bytes(), path.name
    made, stored = (dict(np.load(each / name / "outputs.npz")) for each in (folder, EXPORTS))
    assert disagreements(made, stored) == []
