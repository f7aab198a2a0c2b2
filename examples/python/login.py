"""The documentation's sample, made right: logs in once, and then reuses the token for every call.

    export TPS_USERNAME=… TPS_PASSWORD=… TPS_ORGANIZATION_ID=…
    python3 examples/python/login.py

Python needs no binding: ctypes calls the C functions of include/tps.h.
"""
import ctypes
import json
import os
import pathlib
import urllib.request


class Error(ctypes.Structure):
    """struct tps_error"""

    _fields_ = [
        ("status", ctypes.c_int32),
        ("http_status", ctypes.c_int32),
        ("retry_after_ms", ctypes.c_int64),
        ("message", ctypes.c_char_p),
    ]


build = pathlib.Path(__file__).parents[2] / "target" / "release" / "libtps.so"
tps = ctypes.CDLL(os.environ.get("TPS_LIBRARY") or (str(build) if build.exists() else "libtps.so.0"))
tps.tps_login.restype = tps.tps_token.restype = tps.tps_stats.restype = ctypes.c_void_p
tps.tps_token.argtypes = tps.tps_stats.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
tps.tps_free.argtypes = [ctypes.c_void_p]


def call(function, *arguments):
    """What the function hands out, or an exception with the library's message."""
    error = ctypes.POINTER(Error)()
    result = function(*arguments, ctypes.byref(error))
    if result:
        return result
    try:
        raise RuntimeError(error.contents.message.decode())
    finally:
        tps.tps_free(error)


def text(function, client):
    """A text that is ours to free, as a str."""
    pointer = call(function, client)
    try:
        return ctypes.string_at(pointer).decode()
    finally:
        tps.tps_free(pointer)


options = {"base_url": os.environ.get("TPS_BASE_URL"), "cache": os.environ.get("TPS_CACHE")}
client = call(
    tps.tps_login,
    os.environ["TPS_USERNAME"].encode(),
    os.environ["TPS_PASSWORD"].encode(),
    os.environ["TPS_ORGANIZATION_ID"].encode(),
    json.dumps({key: value for key, value in options.items() if value}).encode(),
)
token = text(tps.tps_token, client)
print(f"token: {token}")

base_url = json.loads(text(tps.tps_stats, client))["base_url"]
request = urllib.request.Request(f"{base_url}/api/v1/organizations/", headers={"Authorization": f"Token {token}"})
with urllib.request.urlopen(request, timeout=30) as response:
    print(f"organization: {json.load(response)['results'][0]['name']}")

for _ in range(10_000):
    text(tps.tps_token, client)

logins = json.loads(text(tps.tps_stats, client))["logins"]
print(f"asked for the token 10,000 times more: {logins} login{'' if logins == 1 else 's'}")
tps.tps_free(client)
