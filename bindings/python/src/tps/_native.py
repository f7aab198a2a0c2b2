"""The functions of libtps as methods that take and give Python objects, and raise. Nothing else here knows of ctypes.

What the library hands out is released by the object that it arrives in, so no signal can lose it: ctypes makes that
object before Python looks at signals again.

A call that may wait or write lets other threads go on. One that only reads or releases memory does not: giving up
Python's lock can cost 5 ms beside a busy thread.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import _library
from ._errors import Error, error_class
from ._secret import Redacted, Secret

if TYPE_CHECKING:
    from ._arguments import CheckedArguments


def _version(library: ctypes.CDLL) -> str:
    library.tps_version.restype = ctypes.c_char_p
    return str(library.tps_version().decode())


_waiting = _library.load(ctypes.CDLL, _version)
_quick = ctypes.PyDLL(_waiting._name, handle=_waiting._handle)

#: The library's version.
VERSION = _version(_waiting)


class _Owned(ctypes.c_void_p):
    """A client, text or error of the library's, released when nobody holds it any more: that touches memory only."""

    def __del__(self) -> None:
        if self.value:
            self._release(self.value)

    _release: Any


class _Failure(ctypes.Structure):
    """struct tps_error"""

    _fields_ = [
        ("status", ctypes.c_int32),
        ("http_status", ctypes.c_int32),
        ("retry_after_ms", ctypes.c_int64),
        ("message", ctypes.c_char_p),
    ]


def _attach() -> dict[str, Any]:
    text, pointer, milliseconds = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint32
    functions: dict[str, Any] = {}
    for library, name, result, arguments in (
        (_waiting, "tps_login", _Owned, (text, text, text, text, pointer)),
        (_waiting, "tps_token", _Owned, (pointer, pointer)),
        (_quick, "tps_free", None, (pointer,)),
        (_waiting, "tps_invalidate", ctypes.c_int, (pointer, text, pointer)),
        (_waiting, "tps_logout_wait", ctypes.c_int, (pointer, milliseconds, pointer)),
        (_quick, "tps_generation", ctypes.c_uint64, (pointer,)),
        (_waiting, "tps_wait", ctypes.c_int, (pointer, milliseconds, pointer)),
        (_waiting, "tps_stats", _Owned, (pointer, pointer)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
        functions[name] = function
    return functions


_functions = _library.require_functions(_attach, VERSION, _waiting._name)
_Owned._release = staticmethod(_functions["tps_free"])
_login = _functions["tps_login"]
_token = _functions["tps_token"]
_invalidate = _functions["tps_invalidate"]
_logout_wait = _functions["tps_logout_wait"]
_generation: Callable[[int], int] = _functions["tps_generation"]
_wait = _functions["tps_wait"]
_stats = _functions["tps_stats"]

# Older libraries have none: there each token at hand costs a call.
_generation_word: Any = getattr(_quick, "tps_generation_word", None)
if _generation_word is not None:
    _generation_word.restype, _generation_word.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)


class Handle(Redacted):
    """A client of the library, released with this object, in a forked child as well."""

    __slots__ = ("_client", "address", "word")

    address: int
    #: The number of the token at hand, read without a call: 0 where `ask` has to be called.
    word: ctypes.c_uint64

    def __init__(self, client: _Owned) -> None:
        self._client = client
        self.address = client.value or 0
        word = _generation_word(self.address) if _generation_word else None
        self.word = ctypes.c_uint64.from_address(word) if word else ctypes.c_uint64(0)

    @property
    def ask(self) -> Callable[[int], int]:
        """Gives the number of the token at hand by the address, 0 if there is none. Neither blocks nor fails."""
        return _generation

    def wait(self, milliseconds: int) -> bool:
        """Sees to it that a token is at hand, for so many milliseconds; whether there is one."""
        return _number(lambda slot: _wait(self.address, milliseconds, slot)) == 1

    def token(self) -> str:
        """For when `wait` was true; if the token has just gone, this lasts until there is a new one."""
        return _text(lambda slot: _token(self.address, slot))

    def invalidate(self, token: Secret[str]) -> None:
        """Says that the server has rejected this token. Sends nothing."""
        _number(lambda slot: _invalidate(self.address, token.expose().encode(), slot))

    def logout(self, milliseconds: int) -> bool:
        """Starts a logout, or joins the one under way, and waits for so many milliseconds; whether it is done."""
        return _number(lambda slot: _logout_wait(self.address, milliseconds, slot)) == 1

    def stats(self) -> str:
        """JSON."""
        return _text(lambda slot: _stats(self.address, slot))


def open_client(arguments: CheckedArguments) -> Handle:
    """The library's client for these arguments: the same one for the same arguments."""
    return Handle(_pointer(lambda slot: _login(*arguments.strings(), slot)))


def _number(call: Callable[[Any], int]) -> int:
    """Calls what returns a number, -1 on failure."""
    slot = _Owned()
    result = call(ctypes.byref(slot))
    if result == -1:
        raise _error(slot)
    return result


def _pointer(call: Callable[[Any], _Owned]) -> _Owned:
    """Calls what returns a pointer, NULL on failure."""
    slot = _Owned()
    result = call(ctypes.byref(slot))
    if not result:
        raise _error(slot)
    return result


def _text(call: Callable[[Any], _Owned]) -> str:
    return ctypes.string_at(_pointer(call)).decode()


def _error(slot: _Owned) -> Error:
    """Owns its text."""
    if not slot.value:
        return Error("the library gave no reason")
    failure = _Failure.from_address(slot.value)
    return error_class(failure.status)(
        failure.message.decode(errors="replace"),
        http_status=failure.http_status or None,
        retry_after=failure.retry_after_ms / 1000,
    )
