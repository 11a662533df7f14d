"""Whether a class keeps the promises of an interface, checked when the class is made."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.components.interface import (
    OPTIONAL,
    interface_attributes,
    interface_methods,
    is_interface,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_VAR_POSITIONAL = 0x04
_VAR_KEYWORD = 0x08
_COROUTINE = 0x80 | 0x200  # asynchronous generators too


class _Shape(NamedTuple):
    """The parameters of a method without `self`; `inspect` is too slow to import for this."""

    positional: tuple[str, ...]
    positional_only: int
    required: int
    keyword_only: tuple[str, ...]
    keyword_required: frozenset[str]
    var_positional: bool
    var_keyword: bool
    asynchronous: bool

    def __str__(self) -> str:
        parts = [
            name if index < self.required else f"{name}=…"
            for index, name in enumerate(self.positional)
        ]
        if self.positional_only:
            parts.insert(self.positional_only, "/")
        if self.var_positional:
            parts.append("*args")
        elif self.keyword_only:
            parts.append("*")
        parts += [
            name if name in self.keyword_required else f"{name}=…" for name in self.keyword_only
        ]
        if self.var_keyword:
            parts.append("**kwargs")
        return f"({', '.join(parts)})"


def _shape(function: FunctionType, *, bound: bool) -> _Shape:
    code = function.__code__
    skipped = 1 if bound else 0
    names = code.co_varnames
    keyword_only = names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    return _Shape(
        positional=names[skipped : code.co_argcount],
        positional_only=max(code.co_posonlyargcount - skipped, 0),
        required=max(code.co_argcount - len(function.__defaults__ or ()) - skipped, 0),
        keyword_only=keyword_only,
        keyword_required=frozenset(keyword_only) - frozenset(function.__kwdefaults__ or ()),
        var_positional=bool(code.co_flags & _VAR_POSITIONAL),
        var_keyword=bool(code.co_flags & _VAR_KEYWORD),
        asynchronous=bool(code.co_flags & _COROUTINE),
    )


def _mismatches(have: _Shape, want: _Shape) -> Iterator[str]:
    """Say why a method with the shape `have` cannot take every call that `want` describes."""
    if not have.var_positional:
        if missing := want.positional[len(have.positional) :]:
            yield f"does not take {_listed(missing)}"
        if want.var_positional:
            yield "does not take *args"
    pairs = zip(have.positional, want.positional, strict=False)
    for index, (mine, theirs) in enumerate(pairs):
        if mine == theirs or index < want.positional_only or have.var_keyword:
            continue
        yield f"calls {theirs!r} {mine!r}"
    if have.required > want.required:
        excess = have.positional[want.required : have.required]
        yield f"demands {_listed(excess)}, which callers need not give"
    accepted = {*have.keyword_only, *have.positional[have.positional_only :]}
    if not have.var_keyword:
        if missing := tuple(name for name in want.keyword_only if name not in accepted):
            yield f"does not take {_listed(missing)}"
        if want.var_keyword:
            yield "does not take **kwargs"
    if unknown := have.keyword_required - want.keyword_required:
        yield f"demands {_listed(tuple(sorted(unknown)))}, which callers need not give"
    if have.asynchronous and not want.asynchronous:
        yield "is async, but is called without await"


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(repr(name) for name in names)


def _find(owner: type, name: str) -> object:
    """Return what the class itself has under this name, not what an interface describes."""
    for ancestor in owner.__mro__:
        if ancestor is not object and not is_interface(ancestor) and name in vars(ancestor):
            return vars(ancestor)[name]
    return None


def breaches(owner: type, interface: type) -> Iterator[str]:
    """Yield a sentence for each way in which a class does not keep an interface's promises."""
    for name, specification in interface_methods(interface).items():
        member = _find(owner, name)
        called = f"{interface.__name__}.{name}"
        if member is None:
            if not hasattr(specification, OPTIONAL):
                yield f"{called} is missing"
            continue
        bound = not isinstance(member, staticmethod)
        if isinstance(member, (staticmethod, classmethod)):
            member = member.__func__
        if not isinstance(member, FunctionType):
            if not callable(member) and not hasattr(member, "__get__"):
                yield f"{name} is no method, as {called} wants"
            continue
        if (
            bound
            and not member.__code__.co_argcount
            and not _shape(member, bound=True).var_positional
        ):
            yield f"{name}() does not take 'self'"
            continue
        if isinstance(specification, FunctionType):
            have, want = _shape(member, bound=bound), _shape(specification, bound=True)
            if reasons := "; ".join(_mismatches(have, want)):
                yield f"{name}{have} does not fit {called}{want}: it {reasons}"


def defaults(owner: type, interface: type) -> Iterator[tuple[str, object]]:
    """Yield name and value of what a class may leave out, and does, of an interface.

    These are optional methods, and attributes to which the interface gives a value.
    """
    methods = interface_methods(interface)
    hooks = {name: one for name, one in methods.items() if hasattr(one, OPTIONAL)}
    for name, value in (interface_attributes(interface) | hooks).items():
        if _find(owner, name) is None:
            yield name, value
