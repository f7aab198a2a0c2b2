"""A server of raw bytes, for answers that no real server gives on demand. See README.md."""

import argparse
import asyncio
import contextlib
import os
import signal
import ssl
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True

from scenarios import PAGE, answer, find_scenario, good


@dataclass
class Key:
    """What one test did so far."""

    connections: int = 0
    logins: int = 0
    logins_now: int = 0
    logins_at_once: int = 0
    log: list = field(default_factory=list)
    issued: list = field(default_factory=list)
    tokens: set = field(default_factory=set)
    phases: dict = field(default_factory=dict)
    override: list = None

    def counts(self):
        numbers = {"connections": self.connections, "requests": len(self.log), "logins": self.logins}
        numbers["logins_at_once"] = self.logins_at_once
        alive = [token for token in self.issued if token in self.tokens]
        return {**numbers, "tokens": len(alive), "issued": self.issued, "alive": alive, "log": self.log}


@dataclass
class Request:
    line: str
    headers: dict
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def __post_init__(self):
        self.method, target, _ = self.line.split(" ")
        _, self.scenario, self.key_name, *rest = target.split("/", 3) + ["", ""]
        self.path = "/" + rest[0]
        self.authorization = self.headers.get("authorization", "")
        self.kind = {
            "POST /api/auth/login/": "login",
            "POST /api/auth/logout/": "logout",
            "GET /api/v1/organizations/": "organizations",
        }.get(f"{self.method} {self.path}")

    @classmethod
    async def read(cls, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return cls(line, headers, body, reader, writer)


class Server:
    def __init__(self):
        self.keys = defaultdict(Key)

    async def connection(self, reader, writer):
        seen = set()
        gone = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        with contextlib.suppress(*gone):
            while True:
                request = await Request.read(reader, writer)
                reply = await self.reply(request, seen)
                if reply is None:
                    break
                writer.write(reply)
                await writer.drain()
                if request.headers.get("connection", "").lower() == "close":
                    break
        writer.close()

    async def reply(self, request, seen):
        key = request.key = self.keys[request.key_name]
        if request.scenario == "_count":
            return answer(200, key.counts())
        if request.scenario == "_scenario":
            key.override = request.body.decode().split(",")
            return answer(204)

        if request.scenario == "_revoke":
            key.tokens.clear()
            return answer(204)

        key.connections += request.key_name not in seen
        seen.add(request.key_name)
        key.logins += request.kind == "login"
        key.log.append(
            {"line": request.line, "headers": request.headers, "body": request.body.decode(errors="replace")}
        )
        if request.kind != "login":
            return await self.act(request, key)
        key.logins_now += 1
        key.logins_at_once = max(key.logins_at_once, key.logins_now)
        try:
            return await self.act(request, key)
        finally:
            key.logins_now -= 1

    async def act(self, request, key):
        phases = key.override or key.phases.setdefault(request.scenario, request.scenario.split(","))
        try:
            kinds, scenario = find_scenario(phases[0])
        except (LookupError, ValueError):
            print("there is no scenario", phases[0], file=sys.stderr)
            return answer(404, PAGE)
        if request.kind not in kinds:
            return await good(request)
        if len(phases) > 1:
            phases.pop(0)
        return await scenario(request)


def publish(file, url):
    """Whole or not at all: a process that waits for the file finds the URL in it."""
    if file:
        unfinished = file.with_name(f"{file.name}.{os.getpid()}")
        unfinished.write_text(url)
        unfinished.replace(file)


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--url-file", type=Path, help="gets the URL once the server listens")
    parser.add_argument(
        "--certificate", type=Path, nargs="+", default=[], help="PEM with certificate and key: listens with TLS too"
    )
    parser.add_argument("--tls-url-file", type=Path, help="gets the URLs of these, one a line")
    options = parser.parse_args()

    # At once: asyncio would first cancel each connection that hangs, and complain about it.
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, os._exit, 0)

    server = Server()
    listener = await asyncio.start_server(server.connection, "127.0.0.1", options.port, backlog=1024)
    port = listener.sockets[0].getsockname()[1]
    # Where redirections point to, so that one that is followed is seen. Not every system has this address.
    with contextlib.suppress(OSError):
        await asyncio.start_server(server.connection, "127.0.0.2", port)

    secure_urls = []
    for certificate in options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        secure = await asyncio.start_server(server.connection, "127.0.0.1", 0, ssl=context, backlog=1024)
        secure_urls.append(f"https://127.0.0.1:{secure.sockets[0].getsockname()[1]}")
    publish(options.tls_url_file, "\n".join(secure_urls))

    url = f"http://127.0.0.1:{port}"
    publish(options.url_file, url)
    print("listening on", url, flush=True)
    await listener.serve_forever()


asyncio.run(main())
