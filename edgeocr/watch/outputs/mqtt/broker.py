"""The MQTT broker and the topic that events are published to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ....errors import EdgeOCRError

# The default port of each scheme.
PORTS = {"mqtt": 1883, "mqtts": 8883}
STATUS = "/status"
# The largest number of bytes of a topic, by the standard.
LONGEST_TOPIC = 65535
EXAMPLE = "mqtt://user@host:1883/topic"


@dataclass(frozen=True)
class Broker:
    """A broker and a topic.

    Attributes:
        host: Name or address of the broker.
        port: Its port.
        topic: The topic of the events. The status is published to `TOPIC/status`.
        encrypted: Whether to use TLS, and check the broker's certificate.
        user: Name of the user; None to connect without one.
        password: The user's password; None for a user without one.
        authorities: File with the certificates, in PEM, of the authorities that may have signed the
            broker's; None for those that the system trusts.
    """

    host: str
    port: int
    topic: str
    encrypted: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    authorities: Path | None = None

    @classmethod
    def parse(
        cls, url: str, *, password: str | None = None, authorities: Path | None = None
    ) -> Broker:
        """Return the broker and the topic that a URL names.

        Args:
            url: As in "mqtt://user@host:1883/topic"; "mqtts" encrypts. The default port is 1883, or
                8883 with encryption.
            password: The user's password.
            authorities: As the attribute.

        Raises:
            ValueError: The URL is not of this form, has a password, or doesn't fit the arguments.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"is not a URL like {EXAMPLE}: {error}") from None
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(f"must be written like {EXAMPLE}, with mqtt:// or mqtts://")
        if parts.password is not None:
            raise ValueError(
                "must not contain the password, which other users of this machine could see: write "
                "it to a file, and name the file with --mqtt-password-file"
            )
        if parts.query or parts.fragment or "#" in url or "?" in url:
            raise ValueError("must end with the topic; # and ? in it are written %23 and %3F")
        user = unquote(parts.username) if parts.username else None
        if password is not None and user is None:
            raise ValueError(f"must name the user whose password is given, as in {EXAMPLE}")
        encrypted = parts.scheme == "mqtts"
        if authorities is not None and not encrypted:
            raise ValueError("must begin with mqtts:// if certificates of authorities are given")
        topic = checked_topic(unquote(parts.path.removeprefix("/")))
        return cls(
            parts.hostname,
            port or PORTS[parts.scheme],
            topic,
            encrypted,
            user,
            password,
            authorities,
        )

    @property
    def status(self) -> str:
        """The topic of the retained status, "online" or "offline"."""
        return self.topic + STATUS

    def __str__(self) -> str:
        """Return the URL without the user."""
        scheme = "mqtts" if self.encrypted else "mqtt"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/{self.topic}"


def checked_topic(topic: str) -> str:
    """Return a topic that may be published to.

    Raises:
        ValueError: It is empty or too long, or has wildcards or control characters.
    """
    if not topic:
        raise ValueError(f"must name a topic after the host, as in {EXAMPLE}")
    if set(topic) & set("+#") or not topic.isprintable():
        raise ValueError(f"has a topic with +, # or control characters: {topic!r}")
    if len(topic.encode()) + len(STATUS) > LONGEST_TOPIC:
        raise ValueError("has a topic that is too long")
    return topic


def read_password(path: Path) -> str:
    """Return the password in a file, without the end of its line.

    Raises:
        EdgeOCRError: The file can't be read, or doesn't consist of one line of text.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EdgeOCRError(f"{path}: the password can't be read: {reason}") from error
    if len(lines) != 1 or not lines[0]:
        raise EdgeOCRError(f"{path}: the password must be the only line of the file")
    return lines[0]
