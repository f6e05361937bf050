"""Who may use the service: whoever has the token, or, without one, programs on this machine.

Any web page can let a browser send requests to services on the machine that it runs on. Two checks
keep such pages out where there is no token. A page of another site is told by the headers Origin
and Sec-Fetch-Site, which a page can't change. A page whose own name has been pointed at this
machine (DNS rebinding) is told by the header Host, which has that name.
"""

from __future__ import annotations

import hmac
import logging
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import EdgeOCRError
from .errors import ForbiddenError, UnauthorizedError
from .options import Options

logger = logging.getLogger(__name__)

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
# The paths that need no token, and that pages of other sites may link to; so may all of `PAGE`.
OPEN = frozenset({"/", "/healthz", "/readyz", "/openapi.json"})
PAGE = "/page/"
# A name or an address, and perhaps a port: a header with anything more comes from no browser.
HOST = re.compile(r"(\[[^\[\]]*\]|[^\[\]:/?#@\\]*)(:[0-9]*)?")
# The most bytes of a token file.
MOST_TOKEN = 4096


class Access:
    """Checks requests by their headers."""

    def __init__(self, options: Options) -> None:
        """Read the token.

        Raises:
            EdgeOCRError: The token file can't be read, or holds no token.
        """
        self._token_file = options.token_file
        self._token: bytes | None = None
        # Where anyone may use the service, and no names are given, any name is right.
        self._hosts: frozenset[str] | None = LOCAL_HOSTS | {
            host.lower() for host in options.allowed_hosts
        }
        if options.allow_anyone and not options.allowed_hosts:
            self._hosts = None
        self.reload()

    def reload(self) -> None:
        """Read the token again.

        Raises:
            EdgeOCRError: As for `__init__`; the old token stays.
        """
        if self._token_file is not None:
            self._token = _token_in(self._token_file)

    def check(self, path: str, headers: Mapping[str, str]) -> None:
        """Check a request.

        Raises:
            UnauthorizedError: It needs the token and doesn't have it.
            ForbiddenError: A page of another site has sent it.
        """
        guarded = path not in OPEN and not path.startswith(PAGE)
        if self._token is not None:
            if guarded:
                self._check_token(headers.get("authorization", ""))
            return
        host = headers.get("host", "")
        if self._hosts is not None and _name_of(host) not in self._hosts:
            raise ForbiddenError(
                "the service is called by a name that it does not know: use localhost, or start it "
                "with --allowed-host NAME"
            )
        if guarded:
            _check_site(host, headers)

    def _check_token(self, authorization: str) -> None:
        scheme, _, given = authorization.partition(" ")
        assert self._token is not None
        is_token = hmac.compare_digest(given.strip().encode("latin-1", "replace"), self._token)
        if scheme.lower() != "bearer" or not is_token:
            raise UnauthorizedError(
                "the token is missing or wrong: send it as Authorization: Bearer TOKEN"
            )


def _check_site(host: str, headers: Mapping[str, str]) -> None:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site not in (None, "same-origin", "none") or (
        origin is not None and _address_of(origin) != host.lower()
    ):
        raise ForbiddenError("pages of other sites must not use this service")


def _address_of(origin: str) -> str:
    """Return the name and the port in the header Origin, as the header Host has them."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _name_of(host: str) -> str:
    """Return the name in the header Host, without the port and the brackets of IPv6."""
    found = HOST.fullmatch(host.lower())
    return found[1].strip("[]") if found is not None else ""


def _token_in(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_TOKEN + 1)
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise EdgeOCRError(f"{path}: the token can't be read: {error.strerror}") from error
    token = content.strip()
    if not token or len(content) > MOST_TOKEN or not all(33 <= byte <= 126 for byte in token):
        raise EdgeOCRError(
            f"{path}: a token file holds one token of letters, digits and signs, without spaces: "
            "make one with `openssl rand -hex 32`"
        )
    # systemd protects its credentials by an access control list, whose mask looks like the group's
    # permission.
    is_credential = os.environ.get("CREDENTIALS_DIRECTORY") == str(path.parent)
    others = stat.S_IROTH if is_credential else stat.S_IRGRP | stat.S_IROTH
    if os.name == "posix" and mode & others and stat.S_ISREG(mode):
        logger.warning(
            "%s: other users of this machine may read the token: chmod 600 %s", path, path
        )
    return token
