"""Test that no mistake in an inference.yml, a dictionary or an algorithm passes without a word."""

import re
import shutil
from pathlib import Path

import pytest

from converters.__main__ import main
from tests.support.mistakes import (
    ATTENTION,
    FORMS,
    PLAIN_READER,
    READER,
    settings,
    without_characters,
)
from tests.support.paths import ZOO_EXPORTS


def dictionary(tmp_path: Path, number: int, extra: str = "") -> Path:
    path = tmp_path / "keys.txt"
    text = "".join(f"{chr(0x4E00 + i)}\n" for i in range(number)) + extra
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("form", FORMS)
def test_dictionary_that_contradicts_the_network_names_both_sizes(folder, refused, form):
    mine = folder(form=form)
    if form == "legacy":
        shutil.copy(ZOO_EXPORTS / READER / "pir" / "inference.yml", mine)
    said = refused(settings(mine, without_characters(3)))
    assert (
        f"{mine}/inference.yml: PostProcess.character_dict has 33 characters; the network has"
        in said
    )
    assert "38 classes = 37 + blank, or 36 + space + blank" in said
    assert "--charset FILE" in said and "--ignore-yml" in said


def test_settings_that_cannot_be_read_are_refused(folder, refused, accepted):
    mine = folder()
    path = mine / "inference.yml"
    path.unlink()
    path.mkdir()
    assert refused(mine) == (
        f"{path}: can't be read: Is a directory. Correct the file; --ignore-yml converts without "
        "this file"
    )
    assert accepted(mine, "--ignore-yml")
    path.rmdir()
    path.symlink_to("elsewhere.yml")
    assert "can't be read: No such file" in refused(mine)


def test_space_follows_from_the_number_of_classes(folder, accepted):
    """A dictionary with the space in it is as good as one to which the space is added."""
    assert accepted(folder())
    listed = "  character_dict:\n"
    spaced = folder(to="spaced")
    assert accepted(settings(spaced, lambda text: text.replace(listed, f"{listed}  - ' '\n")))


def test_stated_space_is_checked(folder, refused):
    mine = settings(
        folder(),
        lambda text: text.replace("PostProcess:\n", "PostProcess:\n  use_space_char: false\n"),
    )
    assert "has 36 characters without a space; the network has 38 classes" in refused(mine)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text + "\n  - [", "inference.yml: not valid YAML: "),
        (lambda text: "\x00" + text, "inference.yml: not valid YAML: "),
        (lambda text: "", "inference.yml: PostProcess is missing"),
        (
            lambda text: text.replace("CTCLabelDecode", "CANLabelDecode"),
            "PostProcess.name must be one of DBPostProcess, ",
        ),
        (
            lambda text: text.replace("RecResizeImg:", "TableResizeImg:"),
            "the operator 'TableResizeImg' is not supported",
        ),
        (
            lambda text: "PreProcess:\n  transform_ops: []\nPostProcess:\n  name: DBPostProcess\n",
            "PreProcess.transform_ops lacks DetResizeForTest",
        ),
    ],
)
def test_unusable_inference_yml_is_an_error(folder, refused, change, message):
    mine = settings(folder(), change)
    said = refused(mine)
    assert message in said and said.endswith("--ignore-yml converts without this file")


def test_inference_yml_that_is_not_utf8_is_an_error(folder, refused):
    mine = folder()
    with (mine / "inference.yml").open("ab") as stream:
        stream.write(b"\xff\xfe")
    assert "inference.yml: not valid YAML: byte" in refused(mine)


def test_inference_yml_of_another_network_is_an_error(folder, refused):
    mine = folder("det_mv3_db", "legacy")
    shutil.copy(ZOO_EXPORTS / READER / "pir" / "inference.yml", mine)
    said = refused(mine)
    assert (
        "inference.yml says CTC; networks for CTC have 1 input and one output [N, positions,"
        in said
    )
    assert "but this one has 1 input and the output [?, 1, ?, ?]" in said


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("- 48\n", "- 64\n", "says that the height of the input is 64, but the network takes 48"),
        ("img_mode: BGR", "img_mode: GRAY", "says GREY, 1 channel, but the network takes 3"),
        ("- 48\n", "- 48000\n", "image_shape[1] must be from 1 to 32767, not 48000"),
        ("- 48\n", "- 0\n", "image_shape[1] must be from 1 to 32767, not 0"),
    ],
)
def test_inference_yml_that_contradicts_the_input_is_an_error(folder, refused, old, new, message):
    mine = settings(folder(), lambda text: text.replace(old, new))
    said = refused(mine)
    assert message in said and "--ignore-yml converts without" in said


def test_inference_yml_that_no_bundle_could_keep_to_is_an_error(folder, refused):
    mine = settings(
        folder("PP-OCRv6_tiny_det"), lambda text: text.replace("box_thresh: ", "box_thresh: 1")
    )
    assert "stages.detection.postprocess.box_threshold must be from 0 to 1, not 1" in refused(mine)


def test_labels_are_counted(folder, refused):
    mine = settings(
        folder("PP-LCNet_x1_0_doc_ori"), lambda text: re.sub(r" *- '?270'?\n", "", text)
    )
    assert "label_list has 3 labels, but the network has 4 classes" in refused(mine)


@pytest.mark.parametrize(
    ("algorithm", "decoder"), [("DRRG", "DRRGPostprocess"), ("SEED", "SEEDLabelDecode")]
)
def test_network_that_cannot_be_exported_is_named(algorithm, decoder, folder, refused, capsys):
    mine = settings(folder(), lambda text: text.replace("CTCLabelDecode", decoder))
    why = "PaddleOCR can't export such a network"
    assert f"PostProcess.name is '{decoder}': {why}" in refused(mine)
    with pytest.raises(SystemExit) as caught:
        main(["convert", str(mine), "-o", "x", "--algorithm", algorithm])
    assert caught.value.code == 2 and f"{algorithm}: {why}" in capsys.readouterr().err


def test_algorithms_have_capital_or_small_letters(folder, accepted, capsys):
    assert accepted(folder(PLAIN_READER, "legacy"), "--algorithm", "ctc")
    with pytest.raises(SystemExit):
        main(["convert", "x", "-o", "x", "--algorithm", "CRNN"])
    assert "must be one of DB, EAST, " in capsys.readouterr().err


def test_inference_yml_can_be_left_out(folder, accepted):
    mine = settings(folder(), lambda text: "{")
    assert accepted(mine, "--ignore-yml")
    assert accepted(mine, "--ignore-yml", "--algorithm", "CTC")


def test_algorithm_that_contradicts_a_source_is_an_error(folder, refused):
    assert "--algorithm Attention: " in refused(folder(), "--algorithm", "Attention")
    other = folder(PLAIN_READER, "legacy", to="other")
    said = refused(other, "--algorithm", "DB")
    assert "other: --algorithm says DB; networks for DB have 1 input and one or two maps" in said
    assert "CTC; leave out" in refused(
        other, "--as", "rec_mv3_none_none_ctc_v2.0", "--algorithm", "Attention"
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("number", "fits"), [(34, False), (35, True), (36, True), (37, False), (96, False)]
)
def test_dictionary_of_the_user_is_counted(tmp_path, folder, accepted, form, number, fits):
    mine = folder(PLAIN_READER, form)
    arguments = (mine, "--algorithm", "CTC", "--charset", str(dictionary(tmp_path, number)))
    assert accepted(*arguments) == fits


def test_wrong_dictionary_of_the_user_names_the_counts_that_would_fit(tmp_path, folder, refused):
    mine = folder(PLAIN_READER, "legacy")
    path = dictionary(tmp_path, 96)
    said = refused(mine, "--algorithm", "CTC", "--charset", str(path))
    assert said == (
        f"{path} has 96 characters; the network has 37 classes = 36 + blank, or 35 + space + blank"
    )
    said = refused(
        folder(ATTENTION, "pir", "rare"), "--algorithm", "Attention", "--charset", str(path)
    )
    assert said.endswith(
        "the network has 38 classes = 36 + begin + end, or 35 + space + begin + end"
    )


def test_stated_space_of_the_user_is_checked(tmp_path, folder, refused):
    mine = folder(PLAIN_READER, "legacy")
    named = ("--algorithm", "CTC", "--charset", str(dictionary(tmp_path, 36)))
    assert "36 characters and the space; the network has 37" in refused(mine, *named, "--space")
    assert "name it too" in refused(mine, "--no-space")


def test_dictionary_replaces_the_one_of_inference_yml(tmp_path, folder, accepted):
    mine = settings(folder(), without_characters(3))
    for number in (36, 37):
        assert accepted(mine, "--charset", str(dictionary(tmp_path, number)))


def test_wrong_dictionary_of_the_user_is_told_what_is_unusual_in_it(tmp_path, folder, refused):
    path = dictionary(tmp_path, 36, extra="\n")
    mine = folder(PLAIN_READER, "legacy")
    assert refused(mine, "--algorithm", "CTC", "--charset", str(path)).endswith(
        f"35 + space + blank. {path}: line 37 is empty: a class that reads as nothing"
    )


def test_space_of_inference_yml_counts_for_the_dictionary_of_the_user(
    tmp_path, folder, refused, accepted
):
    mine = settings(
        folder(),
        lambda text: text.replace("PostProcess:\n", "PostProcess:\n  use_space_char: false\n"),
    )
    named = (mine, "--charset", str(dictionary(tmp_path, 36)))
    said = refused(*named)
    assert "has 36 characters without a space; the network has 38 classes" in said
    assert said.endswith(
        "inference.yml says use_space_char: false; --space or --no-space takes its place"
    )
    assert accepted(*named, "--space")


def test_dictionary_that_cannot_be_read_is_an_error(tmp_path, folder, refused):
    mine = folder()
    assert "keys.txt: the dictionary is missing" in refused(
        mine, "--charset", str(tmp_path / "keys.txt")
    )
    (tmp_path / "keys.txt").write_bytes("é\n".encode("latin-1"))
    assert "must be UTF-8 with one character per line; byte 0 isn't" in refused(
        mine, "--charset", str(tmp_path / "keys.txt")
    )
    for content, message in (
        (b"", "keys.txt: lists no characters"),
        (
            "\n".join("0123456789").encode("utf-16-le"),
            "this one has zero bytes, as a text in UTF-16",
        ),
        ("\n".join("0123456789").encode("utf-16"), "must be UTF-8 with one character per line"),
        (b"\r".join(b"%d" % i for i in range(36)), "keys.txt has 1 character; the network has 38"),
    ):
        (tmp_path / "keys.txt").write_bytes(content)
        assert message in refused(mine, "--charset", str(tmp_path / "keys.txt"))
    assert ": Is a directory" in refused(mine, "--charset", str(mine))
    detector = folder("PP-OCRv6_tiny_det", "pir", "detector")
    assert "a network for DB is for detection and has no characters" in refused(
        detector, "--charset", str(tmp_path / "keys.txt")
    )
