"""hot.py [PREFIX]: client.token beside what one would use instead. JSON objects, one a line. PREFIX tells apart what is
measured with different tokens.

BENCH_REDIS: the socket of a Redis on this machine.
"""

import functools
import json
import os
import sys
import threading
import time

import cachetools
import redis
import tps

ROUNDS = 15
CALLS = 100_000


def measure(call, calls):
    """Nanoseconds a call, the loop's own share left in: it is the same for both."""
    start = time.perf_counter_ns()
    for _ in range(calls):
        call()
    return (time.perf_counter_ns() - start) / calls


@functools.lru_cache(maxsize=1)
def kept():
    return client.token


lock = threading.Lock()
prefix = sys.argv[1] if len(sys.argv) > 1 else ""


def lookup_and_lock():
    with lock:
        return kept()


client = tps.from_env(cache="memory")
ttl = cachetools.TTLCache(maxsize=1, ttl=36_000)
ttl["token"] = client.token
server = redis.Redis(unix_socket_path=os.environ["BENCH_REDIS"])
server.set("token", client.token)


def ttl_cache():
    with lock:
        return ttl["token"]


def redis_get():
    return server.get("token")


def ours():
    return client.token


for row, against, other, calls in (
    ("Python token", "lru_cache + Lock", lookup_and_lock, CALLS),
    ("Python token, TTLCache", "cachetools.TTLCache + Lock", ttl_cache, CALLS),
    ("Python token, Redis", "Redis GET, a socket", redis_get, CALLS // 100),
):
    measure(ours, calls)
    measure(other, calls)
    samples = [(measure(ours, calls), measure(other, calls)) for _ in range(ROUNDS)]
    ours_samples, other_samples = map(list, zip(*samples))
    print(json.dumps({"row": prefix + row, "unit": "ns", "ours": ours_samples, "against": against, "other": other_samples}))
