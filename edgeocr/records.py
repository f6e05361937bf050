"""A `dataclass` decorator for frozen classes that costs a fifth of the standard library's time.

`dataclasses.dataclass` compiles six functions from text for each frozen class, which takes 0.5 ms.
Reading a picture needs some hundred such classes, so this was a tenth of a cold start. Here only
`__init__` is compiled, and the other methods are closures over the names of the fields. The classes
behave in the same way: `fields`, `replace`, `asdict` and `is_dataclass` take them, and other
dataclasses may inherit from them. Type checkers see the standard library's decorator.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, TypeVar

Class = TypeVar("Class", bound="type[Any]")


class _Factory:
    """Stands for the default of a field that has a factory, also in the signature."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(
        *, frozen: bool, eq: bool = True, repr: bool = True, kw_only: bool = False
    ) -> Callable[[Class], Class]:
        """Define a frozen class by its annotations, as `dataclasses.dataclass` does.

        Args:
            frozen: True; other classes have `dataclasses.dataclass`.
            eq: Whether objects with equal fields are equal, and have the same hash.
            repr: Whether `repr` shows the fields.
            kw_only: Whether the fields must be passed by their names.

        Raises:
            TypeError: The class isn't to be frozen, or `__init__` doesn't take one of its fields.
        """
        if not frozen:
            raise TypeError("dataclasses.dataclass defines classes that aren't frozen")

        def define(cls: Class) -> Class:
            inherits = any(map(dataclasses.is_dataclass, cls.__bases__))
            # Without these methods, the standard library's decorator only collects the fields.
            dataclasses.dataclass(
                init=False, repr=False, eq=False, frozen=inherits, kw_only=kw_only
            )(cls)
            cls.__dataclass_params__.frozen = True  # a frozen class may inherit from it
            fields = dataclasses.fields(cls)
            methods: list[Callable[..., Any]] = [_init(cls, fields)]
            if not inherits:
                methods += _frozen(cls, {field.name for field in fields})
            if repr:
                methods.append(_repr([field.name for field in fields if field.repr]))
            if eq:
                methods += _comparison([field.name for field in fields if field.compare])
            for method in methods:
                name = method.__name__
                if vars(cls).get(name) is None:  # the class has none of its own
                    method.__qualname__ = f"{cls.__qualname__}.{name}"
                    setattr(cls, name, method)
            return cls

        return define


def _init(cls: type[Any], fields: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    """Compile `__init__`, because a function that takes any arguments would be slower to call."""
    missing = dataclasses.MISSING
    names: dict[str, Any] = {"_set": object.__setattr__, "_factory": _FACTORY}
    positional, by_name, lines = ["self"], ["*"], []
    for field in fields:
        name = parameter = value = field.name
        if not field.init:
            raise TypeError(f"__init__ of {cls.__name__} would not take the field {name!r}")
        if field.default_factory is not missing:
            names[f"_make_{name}"] = field.default_factory
            parameter, value = (
                f"{name}=_factory",
                f"_make_{name}() if {name} is _factory else {name}",
            )
        elif field.default is not missing:
            names[f"_default_{name}"] = field.default
            parameter = f"{name}=_default_{name}"
        (by_name if field.kw_only else positional).append(parameter)
        lines.append(f" _set(self, {name!r}, {value})\n")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()\n")
    parameters = ", ".join(positional + (by_name if len(by_name) > 1 else []))
    exec(f"def __init__({parameters}):\n{''.join(lines) or ' pass'}", names)
    init: Callable[..., None] = names["__init__"]
    init.__annotations__ = {field.name: field.type for field in fields} | {"return": None}
    return init


def _frozen(cls: type[Any], names: set[str]) -> list[Callable[..., None]]:
    def __setattr__(self: object, name: str, value: object) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: object, name: str) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return [__setattr__, __delattr__]


def _repr(names: list[str]) -> Callable[[object], str]:
    @recursive_repr()
    def __repr__(self: object) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({shown})"

    return __repr__


def _comparison(names: list[str]) -> list[Callable[..., Any]]:
    values: Callable[[object], tuple[Any, ...]]
    if len(names) > 1:
        values = attrgetter(*names)
    else:

        def values(each: object) -> tuple[Any, ...]:
            return tuple(getattr(each, name) for name in names)

    def __eq__(self: object, other: object) -> Any:
        if type(other) is not type(self):
            return NotImplemented
        return values(self) == values(other)

    def __hash__(self: object) -> int:
        return hash(values(self))

    return [__eq__, __hash__]
