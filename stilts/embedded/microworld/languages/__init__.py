"""One file a language, found by its name; each defines `LANGUAGE`, laid out as `grammar` tells."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from hpc.errors import unknown_name
from stilts.embedded.microworld.grammar import Language


@cache
def codes() -> tuple[str, ...]:
    """The codes of all languages there are, English first."""
    found = sorted(module.name for module in iter_modules(__path__))
    return tuple(sorted(found, key=lambda code: code != "en"))


@cache
def load(code: str) -> Language:
    """The language with this code.

    Raises:
        UserError: there is none.
    """
    if code not in codes():
        raise unknown_name("language", code, codes(), where="the microworld")
    language: Language = import_module(f"{__name__}.{code}").LANGUAGE
    return language
