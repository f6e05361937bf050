"""Expand the shorthands of models.toml into one table of plain fields per model.

A model may inherit from families, name groups of languages, use a shared dictionary, and leave out
what follows from its name. The comment at the top of models.toml explains each shorthand.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from edgeocr.bundle.fields import FieldError

Table = dict[str, Any]
# models.toml says this where no publisher states a file's hash, so that no hash is forgotten.
UNPUBLISHED = "unpublished"
TABLES = ("models", "bundles", "profiles", "families", "languages", "dictionaries")


def expand(data: Table) -> Table:
    """Write out every model of a decoded models.toml in full.

    Args:
        data: The tables of models.toml.

    Returns:
        The tables `models`, `bundles` and `profiles`. The types of their fields are not checked.

    Raises:
        FieldError: If a shorthand can't be expanded; the message names the field.
    """
    for name in data:
        if name not in TABLES:
            raise FieldError(f"unknown field {name}")
    tables = {name: _tables(data, name) for name in TABLES if name != "languages"}
    shared = _Shared(tables["families"], _groups(data), tables["dictionaries"])
    models = {name: shared.model(name, fields) for name, fields in tables["models"].items()}
    shared.all_used()
    named = {
        kind: {name: {**fields, "name": name} for name, fields in tables[kind].items()}
        for kind in ("bundles", "profiles")
    }
    return {"models": models, **named}


def merged(lower: Table, upper: Table) -> Table:
    """Merge two tables; `upper` wins, inner tables are merged likewise, lists are replaced."""
    result = deepcopy(lower)
    for key, value in upper.items():
        below = result.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            result[key] = merged(below, value)
        else:
            result[key] = deepcopy(value)
    return result


class _Shared:
    """The tables that models share, and a record of which of them were used."""

    def __init__(
        self, families: Table, languages: dict[str, list[str]], dictionaries: Table
    ) -> None:
        self._families, self._languages, self._dictionaries = families, languages, dictionaries
        self._used: set[str] = set()

    def model(self, name: str, fields: Table) -> Table:
        where = f"models.{name}"
        result = self._inherited(fields, where, ())
        result["name"] = name
        languages = _strings(result.get("languages", []), f"{where}.languages")
        result["languages"] = self._codes(languages, ())
        self._complete_files(result, where)
        return result

    def all_used(self) -> None:
        """Refuse a family, language group or dictionary that no model uses: it must be a typo."""
        for kind, names in (
            ("families", self._families),
            ("languages", self._languages),
            ("dictionaries", self._dictionaries),
        ):
            for name in names:
                if f"{kind}.{name}" not in self._used:
                    raise FieldError(f"{kind}.{name} is not used by any model")

    def _inherited(self, fields: Table, where: str, above: tuple[str, ...]) -> Table:
        names = fields.get("family", [])
        result: Table = {}
        for name in [names] if isinstance(names, str) else _strings(names, f"{where}.family"):
            if name not in self._families or name in above:
                raise FieldError(f"{where}.family: no family {name!r} to inherit from")
            self._used.add(f"families.{name}")
            family = self._inherited(self._families[name], f"families.{name}", (*above, name))
            result = merged(result, family)
        return merged(result, {key: value for key, value in fields.items() if key != "family"})

    def _codes(self, names: list[str], above: tuple[str, ...]) -> list[str]:
        codes: list[str] = []
        for name in names:
            if name in self._languages and name not in above:
                self._used.add(f"languages.{name}")
                codes += self._codes(self._languages[name], (*above, name))
            else:
                codes.append(name)
        return codes

    def _complete_files(self, model: Table, where: str) -> None:
        base, files = model.pop("base", None), model.get("files")
        if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
            return  # `entries.load` reports wrong types
        aliases = _strings(model.get("aliases", []), f"{where}.aliases")
        words = {"name": model["name"], "alias": next(iter(aliases), "")}
        for i, file in enumerate(files):
            try:
                file["name"] = file["name"].format_map(words)
                if base is not None:
                    file.setdefault("source", base.format_map(words) + file["name"])
            except (KeyError, AttributeError, ValueError) as error:
                raise FieldError(
                    f"{where}.files[{i}] or base: the name is missing or has an unknown "
                    f"placeholder: {error}"
                ) from None
        charset = model.get("charset")
        wanted = str(charset.get("file")) if isinstance(charset, dict) else None
        if wanted in self._dictionaries and wanted not in [file["name"] for file in files]:
            self._used.add(f"dictionaries.{wanted}")
            files.append({"name": wanted, **self._dictionaries[wanted]})
        for i, file in enumerate(files):
            if file.get("sha256") == UNPUBLISHED:
                files[i] = {**file, "sha256": None}


def _tables(data: Table, name: str) -> Table:
    tables = data.get(name, {})
    if not isinstance(tables, dict) or not all(isinstance(each, dict) for each in tables.values()):
        raise FieldError(f"{name} must be a table of tables")
    return tables


def _groups(data: Table) -> dict[str, list[str]]:
    groups = data.get("languages", {})
    if not isinstance(groups, dict):
        raise FieldError(f"languages must be a table, not {groups!r:.80}")
    return {name: _strings(group, f"languages.{name}") for name, group in groups.items()}


def _strings(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise FieldError(f"{where} must be a list of strings, not {value!r:.80}")
    return value
