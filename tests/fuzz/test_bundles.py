"""Bundles and manifests: what is packed is found again, and anything else is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeocr import Bundle
from edgeocr.bundle import parse
from edgeocr.bundle.archive import MANIFEST
from edgeocr.errors import BundleError
from tests.fuzz.strategies import json_values
from tests.support.packing import folder, packed, sealed

# Names of files, some of them in a folder. No name is that of another file's folder.
NAMES = st.from_regex(r"[a-z0-9_é]{1,8}(\.d/[a-z0-9_.-]{1,8}[a-z])?", fullmatch=True)


@given(json_values())
def test_any_json_is_refused_as_a_manifest(value):
    with pytest.raises(BundleError):
        parse.parse(value)


@given(st.data())
def test_manifest_with_any_value_in_a_place_is_read_or_refused(embedded_files, data):
    manifest = json.loads(embedded_files[MANIFEST])
    holder, key = manifest, data.draw(st.sampled_from(sorted(manifest)))
    while isinstance(holder[key], (dict, list)) and holder[key] and data.draw(st.booleans()):
        holder = holder[key]
        keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        key = data.draw(st.sampled_from(keys))
    if data.draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = data.draw(json_values())
    try:
        parse.parse(manifest)
    except BundleError as error:
        assert len(str(error)) < 2000


@given(st.dictionaries(NAMES, st.binary(max_size=300), max_size=5), st.booleans())
def test_bundle_has_the_files_that_were_packed(files, tmp_path_factory, more, as_file):
    content = sealed(files | {f"more/{name}": data for name, data in more.items()})
    path = tmp_path_factory.mktemp("bundle") / "own.edgeocr"
    opened = Bundle.open(packed(content, path) if as_file else folder(content, path))
    assert {name: opened.read(name) for name in opened.manifest.files} == {
        name: data for name, data in content.items() if name != MANIFEST
    }


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_as_a_bundle(tmp_path, content):
    path = tmp_path / "own.edgeocr"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"own\.edgeocr"):
        Bundle.open(path)
