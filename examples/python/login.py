"""The documentation's sample, made right: logs in once, and then reuses the token for every call.

    export TPS_USERNAME=… TPS_PASSWORD=… TPS_ORGANIZATION_ID=…
    python3 examples/python/login.py
"""

import json
import os
import pathlib
import sys
import urllib.request

# Only in this repository, where the package is not installed.
repository = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(repository / "bindings/python/src"))
os.environ.setdefault("TPS_LIBRARY", str(repository / "target/release/libtps.so"))

import tps  # noqa: E402


def organizations(token):
    """With urllib, which comes with Python; `auth=client.requests_auth()` does it for requests."""
    url = f"{client.stats['base_url']}/api/v1/organizations/"
    request = urllib.request.Request(url, headers={"Authorization": f"Token {token}"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["results"]


# Or tps.login(username="…", password="…", organization_id="…").
client = tps.from_env()
print(f"token: {client.token}")

# Once more with another token, should the server reject this one.
print(f"organization: {client.with_token(organizations)[0]['name']}")

for _ in range(10_000):
    client.token  # noqa: B018

logins = client.stats["logins"]
print(f"asked for the token 10,000 times more: {logins} login{'' if logins == 1 else 's'}")
