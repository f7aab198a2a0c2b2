"""Prints the token. With the argument `replace`: reports it as rejected, and prints the next one."""

import sys

import tps

try:
    client = tps.from_env()
    if sys.argv[1:]:
        client.invalidate(client.token)
    print(client.token)
except tps.Error as error:
    print(error)
    sys.exit(1)
