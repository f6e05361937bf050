"""The quick `dataclass` decorator behaves as the standard library's."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import pytest

from edgeocr import records

Decorate = Callable[..., Callable[[type[Any]], type[Any]]]
DECORATORS: tuple[Decorate, Decorate] = (dataclasses.dataclass, records.dataclass)


@records.dataclass(frozen=True)
class Named:
    name: str


def classes(dataclass: Decorate) -> dict[str, type[Any]]:
    """Define the same classes with one of the decorators."""

    @dataclass(frozen=True)
    class Empty:
        pass

    @dataclass(frozen=True)
    class One:
        only: object

    @dataclass(frozen=True)
    class Usual:
        number: int
        text: str = "x"
        items: list[int] = dataclasses.field(default_factory=list)
        hidden: int = dataclasses.field(default=0, repr=False, compare=False)
        shared: ClassVar[int] = 3

    @dataclass(frozen=True, kw_only=True)
    class Base:
        first: int
        second: int = 2

    @dataclass(frozen=True, kw_only=True)
    class Derived(Base):
        third: int

    @dataclass(frozen=True)
    class Mixed(Base):
        positional: int

    @dataclass(frozen=True, eq=False, repr=False)
    class Bare:
        value: int

    @dataclass(frozen=True)
    class Own:
        value: int

        def __eq__(self, other: object) -> bool:
            return True

        def __repr__(self) -> str:
            return "own"

        def __post_init__(self) -> None:
            object.__setattr__(self, "value", self.value + 1)

    class Plain(Usual):
        """A subclass that isn't a dataclass."""

    found = [Empty, One, Usual, Base, Derived, Mixed, Bare, Own, Plain]
    return {each.__name__: each for each in found}


EXAMPLES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Empty", (), {}),
    ("One", (1,), {}),
    ("One", ((1, 2),), {}),
    ("Usual", (1,), {}),
    ("Usual", (1,), {"hidden": 5}),
    ("Usual", (1, "y", [1]), {}),
    ("Base", (), {"first": 1}),
    ("Derived", (), {"first": 1, "third": 2}),
    ("Mixed", (4,), {"first": 1}),
    ("Bare", (1,), {}),
    ("Own", (1,), {}),
    ("Plain", (1,), {}),
    # Wrong calls.
    ("Empty", (1,), {}),
    ("Usual", (), {}),
    ("Base", (1,), {}),
    ("Mixed", (4, 1), {}),
]


def described(name: str, arguments: tuple[Any, ...], named: dict[str, Any], of: Decorate) -> object:
    """Return everything that a caller sees of an object, or the error that making it raises."""
    kind = classes(of)[name]
    try:
        made, same = kind(*arguments, **named), kind(*arguments, **named)
    except TypeError as error:
        return str(error)
    result: dict[str, object] = {
        "repr": repr(made).replace(hex(id(made)), "ID"),
        "equal": made == same,
        "unlike others": made == object(),
        "unlike its values": made == dataclasses.astuple(made),
        "not implemented": made.__eq__(object()),
        "in a set": attempt(lambda: len({made, same})),
        "fields": dataclasses.astuple(made),
        "dict": dataclasses.asdict(made),
        "copy": vars(copy.deepcopy(made)),
        "match": kind.__match_args__,
        "signature": str(inspect.signature(kind)),
        "annotations": kind.__init__.__annotations__,
        "names": [getattr(kind, each).__qualname__ for each in ("__init__", "__setattr__")],
    }
    for field in (*(each.name for each in dataclasses.fields(made)), "other"):
        result[f"set {field}"] = attempt(partial(setattr, made, field, 1))
        result[f"delete {field}"] = attempt(partial(delattr, made, field))
    return result


def attempt(action: Callable[[], object]) -> object:
    try:
        return action()
    except (TypeError, AttributeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize(("name", "arguments", "named"), EXAMPLES)
def test_classes_behave_like_the_standard_librarys(
    name: str, arguments: tuple[Any, ...], named: dict[str, Any]
) -> None:
    usual, quick = (described(name, arguments, named, of) for of in DECORATORS)
    assert quick == usual


def test_different_values_differ() -> None:
    usual = classes(records.dataclass)["Usual"]
    assert usual(1) != usual(2)
    assert hash(Named("a")) != hash(Named("b"))
    assert dataclasses.replace(usual(1), text="z") == usual(1, "z")
    assert usual(1).items is not usual(1).items


def test_an_object_that_contains_itself_is_shown() -> None:
    usual = classes(records.dataclass)["Usual"](1)
    usual.items.append(usual)
    assert repr(usual).endswith("Usual(number=1, text='x', items=[...])")


def test_objects_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(Named("a"))) == Named("a")


def test_a_dataclass_of_the_standard_library_may_inherit() -> None:
    @dataclasses.dataclass(frozen=True)
    class Child(Named):
        age: int

    assert Child("a", 3) == Child("a", 3)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'name'"):
        Child("a", 3).name = "b"  # type: ignore[misc]


def test_other_classes_are_refused() -> None:
    with pytest.raises(TypeError, match="that aren't frozen"):
        records.dataclass(frozen=False)
    with pytest.raises(TypeError, match="would not take the field 'made'"):

        @records.dataclass(frozen=True)
        class Wrong:
            made: int = dataclasses.field(init=False)
