"""Tells an answer that rejects the token from every other 401 or 403."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from ._answer import STATUSES, Answer
from ._errors import TokenRejected

# Django REST framework's words for a token that is unknown, revoked or expired. They come with a 403 where another kind
# of authentication stands first.
_REJECTED = re.compile(r"Invalid token\.?\Z", re.IGNORECASE)

# Its other words with a 401: of a header that a proxy has taken away or cut, and of an account that is disabled.
_ABOUT_SOMETHING_ELSE = re.compile(
    r"Authentication credentials were not provided|Invalid token header|User inactive", re.IGNORECASE
)

# The scheme in `WWW-Authenticate`.
_CHALLENGE = re.compile(r"(?:\A|,)\s*Token\b", re.IGNORECASE)


def rejects(answer: Answer | None) -> bool:
    """Whether the answer rejects the token.

    Words that are not known, a translation say, count as a rejection where the server asks for a token: the library
    asks the server before it logs in, so a mistake costs no login.
    """
    if answer is None or answer.status not in STATUSES:
        return False
    detail = _detail(answer.body)
    if _REJECTED.match(detail):
        return True
    return (
        answer.status == 401
        and not _ABOUT_SOMETHING_ELSE.match(detail)
        and bool(_CHALLENGE.search(_challenge(answer.headers)))
    )


def raised(error: Exception) -> bool:
    """Whether what an HTTP library raised carries such an answer, or is TokenRejected."""
    return isinstance(error, TokenRejected) or any(rejects(answer) for answer in Answer.carried(error))


def _detail(body: object) -> str:
    """Empty where there is none."""
    if isinstance(body, (bytes, str)):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return ""
    detail = body.get("detail") if isinstance(body, Mapping) else None
    return detail if isinstance(detail, str) else ""


def _challenge(headers: Mapping[str, str] | None) -> str:
    """What the server asks for; a token, if the response has no headers to look at."""
    if headers is None:
        return "Token"
    return ", ".join(str(value) for name, value in headers.items() if name.lower() == "www-authenticate")
