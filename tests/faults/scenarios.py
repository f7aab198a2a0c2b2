"""What the fault server can answer: a table at the end, and above it how."""

import asyncio
import functools
import gzip
import html as html_text
import json
import secrets
import socket
import string
import struct
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.client import responses
from urllib.parse import quote

HOUR = timedelta(hours=1)
JSON = "application/json"
HTML = "text/html; charset=utf-8"
CHUNKED = "Transfer-Encoding: chunked"
PAGE = "<!doctype html>\n<html><head><title>Sorry</title></head><body><h1>Sorry</h1></body></html>\n"
INVALID_TOKEN = {"detail": "Invalid token."}
NO_TOKEN = {"detail": "Authentication credentials were not provided."}


def now(ahead=timedelta()):
    return datetime.now(timezone.utc) + ahead


def http_date(moment):
    return format_datetime(moment, usegmt=True)


def dump(body):
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def answer(status, body="", *headers, type=None, date="now"):
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        type, body = type or JSON, dump(body)
    head = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}", f"Content-Type: {type or HTML}", *headers]
    if date:
        head.append(f"Date: {http_date(now()) if date == 'now' else date}")
    if status != 204 and CHUNKED not in headers:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def always(*args, **more):
    async def scenario(request, number):
        return answer(*args, **more)

    return scenario


def token_is(make):
    async def scenario(request, number):
        return answer(200, {"expiry": None, "token": make(number)})

    return scenario


def new_token(request):
    token = secrets.token_hex(32)
    request.key.issued.append(token)
    request.key.tokens.add(token)
    return token


def login_body(request, **more):
    return {"expiry": None, "token": new_token(request), **more}


async def good(request, number=None):
    """What a healthy server answers, to whatever was asked."""
    if request.kind == "login":
        return answer(200, login_body(request))
    if request.kind is None:
        return answer(404, PAGE)
    if not request.authorization:
        return answer(401, NO_TOKEN, "WWW-Authenticate: Token")
    token = request.authorization.split()[-1]
    if token not in request.key.tokens:
        return answer(401, INVALID_TOKEN, "WWW-Authenticate: Token")
    if request.kind == "organizations":
        results = [{"uuid": "auhf2k", "name": "Hari's Academy"}]
        return answer(200, {"count": 1, "next": None, "previous": None, "results": results})
    request.key.tokens.discard(token)
    return answer(204)


# Connections that go wrong: they end when a scenario has returned nothing


async def hang(request, number):
    await request.reader.read()


async def close(request, number):
    pass


async def reset(request, number):
    lingering_for_no_time = struct.pack("ii", 1, 0)
    request.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering_for_no_time)
    request.writer.transport.abort()


async def lost(request, number):
    await good(request)


async def made(request, number):
    """A gateway's or a middleware's page, after the application has done what was asked."""
    await good(request)
    return answer(number, PAGE)


async def truncated(request, number):
    request.writer.write((await good(request))[:-20])


async def nothttp(request, number):
    request.writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")


async def slow(request, number):
    await asyncio.sleep(0.02 if number is None else number)
    return await good(request)


async def delay(request, number):
    """Healthy, after so many milliseconds."""
    return await slow(request, number / 1000)


async def drip(request, number, from_the_body):
    whole = await good(request)
    at_once = whole.index(b"\r\n\r\n") + 4 if from_the_body else 0
    request.writer.write(whole[:at_once])
    for byte in whole[at_once:]:
        request.writer.write(bytes([byte]))
        await request.writer.drain()
        await asyncio.sleep(1)


# Bodies


async def html(request, number, type=HTML):
    return answer(number, PAGE, type=type)


def padded(request, size):
    body = login_body(request, padding="")
    body["padding"] = "x" * (size - len(dump(body)))
    return dump(body)


async def big(request, number):
    return answer(200, padded(request, number or 10_000_000), type=JSON)


async def zipped(request, number, size=400, coding="gzip", times=1):
    body = padded(request, size)
    for _ in range(times):
        body = gzip.compress(body)
    return answer(200, body, *([] if coding is None else [f"Content-Encoding: {coding}"]), type=JSON)


async def dated(request, number):
    """Like a good one, by a clock that is so many seconds ahead."""
    return answer(401, NO_TOKEN, date=http_date(now(timedelta(seconds=number))))


async def named_only(request):
    return answer(200, login_body(request), "Content-Encoding: gzip")


async def bom(request, number):
    return answer(200, b"\xef\xbb\xbf" + dump(login_body(request)), type=JSON)


async def chunked(request, number):
    body = dump(login_body(request))
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:], b""))
    return answer(200, chunks, CHUNKED, type=JSON)


async def echo(request, number):
    message = f"You sent {request.body.decode(errors='replace')} with {request.authorization}"
    return answer(400, {"non_field_errors": [message]})


async def echo_as(request, number, how):
    """Says the password again, as servers, frameworks and pages in between write it."""
    password = json.loads(request.body)["password"] if request.body else ""
    said = how(password)
    return answer(400, {"non_field_errors": [f"{said} is wrong, {said}"]})


async def redirect(request, number):
    port = request.writer.get_extra_info("sockname")[1]
    return answer(number, "", f"Location: http://127.0.0.2:{port}/elsewhere/{request.key_name}{request.path}")


# Framing


async def early_hints(request, number):
    request.writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
    return await good(request)


async def http_1_0(request, number):
    request.writer.write((await good(request)).replace(b"HTTP/1.1", b"HTTP/1.0", 1))


async def until_the_end(request, number):
    """Without a length: the body ends with the connection."""
    request.writer.write(b"\r\n".join(line for line in (await good(request)).split(b"\r\n") if b"-Length" not in line))


def framed(*headers, instead_of_length=True):
    """A good answer with these headers, in place of its own length or beside it."""

    async def scenario(request, number):
        head, _, body = (await good(request)).partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not instead_of_length or b"Content-Length" not in line]
        request.writer.write(b"\r\n".join([*lines, *headers]) + b"\r\n\r\n" + body)

    return scenario


async def bad_chunk(request, number):
    request.writer.write(answer(200, b"xyz\r\n{}\r\n0\r\n\r\n", CHUNKED, type=JSON))


async def junk_status(request, number):
    request.writer.write((await good(request)).replace(b" 200 ", b" abc ", 1))


async def cookie(request, number):
    """A good answer that sets a session cookie, which nobody shall send back."""
    return (await good(request)).replace(b"\r\n", b"\r\nSet-Cookie: sessionid=s3ss10n; Path=/\r\n", 1)


# Expiry


async def expiry(request, number, text):
    return answer(200, login_body(request, expiry=text()))


async def without_expiry(request, number):
    return answer(200, {"token": new_token(request)})


async def life(request, number, clock=timedelta(), dated=True):
    end = now(clock) + timedelta(seconds=number)
    body = login_body(request, expiry=end.isoformat().replace("+00:00", "Z"))
    return answer(200, body, date=dated and http_date(now(clock)))


def retry_after(status, text):
    async def scenario(request, number):
        wait = text(number) if callable(text) else text
        detail = "Request was throttled." if status == 429 else "Service Unavailable"
        return answer(status, {"detail": detail}, *([] if wait is None else [f"Retry-After: {wait}"]))

    return scenario


def says(text):
    async def scenario(request, number):
        return answer(number, {"detail": text})

    return scenario


# A name may be followed by a number, which is handed on: html500, slow6, life60.
SCENARIOS = {
    "ok": good,
    "elsewhere": good,
    "401": always(401, INVALID_TOKEN, "WWW-Authenticate: Token"),
    "403": always(403, {"detail": "You do not have permission to perform this action."}),
    "403-invalid-token": always(403, INVALID_TOKEN),
    "inactive": always(401, {"detail": "User inactive or deleted."}, "WWW-Authenticate: Token"),
    "malformed-header": always(401, {"detail": "Invalid token header. No credentials provided."}),
    "no-credentials": always(401, NO_TOKEN, "WWW-Authenticate: Token"),
    #
    "hang": hang,
    "close": close,
    "reset": reset,
    "truncated": truncated,
    "lost": lost,
    "made-html": made,
    "nothttp": nothttp,
    "slow": slow,
    "delay": delay,
    "drip-header": functools.partial(drip, from_the_body=False),
    "drip-body": functools.partial(drip, from_the_body=True),
    #
    "html": html,
    "html-as-json": functools.partial(html, type=JSON),
    "empty": always(200, "", type=JSON),
    "notjson": always(200, '{"token": "1e14', type=JSON),
    "array": always(200, []),
    "redirect": redirect,
    "big": big,
    "bomb": functools.partial(zipped, size=10_000_000),
    "dated": dated,
    "gzip": zipped,
    "gzip-x": functools.partial(zipped, coding="x-gzip"),
    "gzip-upper": functools.partial(zipped, coding="GZIP"),
    "gzip-unnamed": functools.partial(zipped, coding=None),
    "gzip-twice": functools.partial(zipped, coding="gzip, gzip", times=2),
    "gzip-named-only": always(400, {"non_field_errors": ["Unable to log in with provided credentials."]}, "Content-Encoding: gzip"),
    "gzip-token-named-only": lambda request, number: named_only(request),
    "bom": bom,
    "chunked": chunked,
    "echo": echo,
    "echo-json": functools.partial(echo_as, how=lambda text: json.dumps(text).strip('"')),
    "echo-url": functools.partial(echo_as, how=quote),
    "echo-form": functools.partial(echo_as, how=lambda text: quote(text, safe="").replace("%20", "+").lower()),
    "echo-html": functools.partial(echo_as, how=html_text.escape),
    "echo-token": always(400, {"detail": "Token " + "0123456789abcdef" * 4 + " is not this organization's"}),
    "long-text": always(400, {"detail": "\x1b[31m\r\n\t\u2028\u202e" + "All is lost. " * 2000}),
    #
    "early-hints": early_hints,
    "http10": http_1_0,
    "until-the-end": until_the_end,
    "cookie": cookie,
    "two-lengths": framed(b"Content-Length: 7", instead_of_length=False),
    "negative-length": framed(b"Content-Length: -1"),
    "bad-chunk": bad_chunk,
    "junk-status": junk_status,
    "many-headers": framed(*(b"X-%d: 1" % n for n in range(1000)), instead_of_length=False),
    "long-header": framed(b"X: " + b"x" * 1_000_000, instead_of_length=False),
    "bare-nul": framed(b"X: \0", instead_of_length=False),
    #
    "token-null": token_is(lambda _: None),
    "token-empty": token_is(lambda _: ""),
    "token-string-null": token_is(lambda _: "null"),
    "token-number": token_is(lambda _: 5),
    "token-list": token_is(lambda _: []),
    "token-object": token_is(lambda _: {}),
    "token-absent": always(200, {"expiry": None}),
    "token-crlf": token_is(lambda _: "1e14\r\nX-Injected: 1"),
    "token-control": token_is(lambda _: "1e14\0"),
    "token-space": token_is(lambda _: "1e14 238b"),
    "token-unicode": token_is(lambda _: "1e14é"),
    "token-long": token_is(lambda length: "x" * (length or 4097)),
    #
    "expiry-null": functools.partial(expiry, text=lambda: None),
    "expiry-absent": without_expiry,
    "expiry-naive": functools.partial(expiry, text=lambda: now(HOUR).replace(tzinfo=None).isoformat()),
    "expiry-offset": functools.partial(
        expiry, text=lambda: now(HOUR).astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
    ),
    "expiry-whole": functools.partial(expiry, text=lambda: now(HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")),
    "expiry-unreadable": functools.partial(expiry, text=lambda: now(HOUR).strftime("%A at %I %p")),
    "expiry-number": functools.partial(expiry, text=lambda: int(now(HOUR).timestamp())),
    "expiry-past": functools.partial(expiry, text=lambda: now(-HOUR).isoformat()),
    "life": life,
    "life-nodate": functools.partial(life, dated=False),
    "life-ahead": functools.partial(life, clock=HOUR),
    "life-behind": functools.partial(life, clock=-HOUR),
    #
    "retry-after-seconds": retry_after(429, lambda seconds: 60 if seconds is None else seconds),
    "retry-after-date": retry_after(429, lambda seconds: http_date(now(timedelta(seconds=seconds or 60)))),
    "retry-after-none": retry_after(429, None),
    "retry-after-nonsense": retry_after(429, "soon"),
    "retry-after-negative": retry_after(429, "-5"),
    "retry-after-huge": retry_after(429, "9" * 30),
    "503": retry_after(503, None),
    "503-retry": retry_after(503, lambda seconds: seconds or 1),
    #
    "wrong-password": always(400, {"non_field_errors": ["Unable to log in with provided credentials."]}),
    "detail-401": always(401, {"detail": "Invalid username/password."}, 'WWW-Authenticate: Basic realm="api"'),
    "limit-400": always(400, {"non_field_errors": ["An organization can have at most (max) 20 tokens."]}),
    "limit-403": always(403, {"error": "Maximum amount of tokens allowed per user exceeded."}),
    "limit-409": always(409, {"detail": "Token limit reached."}),
    "rate-limit": says("API rate limit exceeded"),
    "suspended": says("Acme Private Limited is suspended"),
    "maxwell": says("maxwell is not a member"),
}

# Whose requests a scenario answers; without a prefix, the logins. A healthy server answers the others.
PREFIXES = {
    "all-": ("login", "logout", "organizations", None),
    "logout-": ("logout",),
    "organizations-": ("organizations",),
}


def find_scenario(name):
    kinds = ("login",)
    for prefix, theirs in PREFIXES.items():
        if name.startswith(prefix):
            kinds, name = theirs, name[len(prefix) :]
    if name in SCENARIOS:
        return kinds, functools.partial(SCENARIOS[name], number=None)
    stem = name.rstrip(string.digits)
    return kinds, functools.partial(SCENARIOS[stem], number=int(name[len(stem) :]))
