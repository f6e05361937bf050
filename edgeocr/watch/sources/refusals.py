"""Find out why a stream can't be opened, which OpenCV doesn't tell."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from ...decoding.contents import described
from ...errors import excerpt

# The usual ports of protocols over TCP.
PORTS = {"rtsp": 554, "rtmp": 1935, "http": 80, "https": 443}
# Seconds for the connection and for the answer.
TIMEOUT = 3.0
ADVICE = {
    401: ": give the user and the password as rtsp://USER:PASSWORD@HOST/…",
    404: ": look the path up in the camera's manual",
}


def refusal(url: str) -> str:
    """Find out from the server why a stream can't be opened.

    Args:
        url: The address that OpenCV could not open.

    Returns:
        The reason, worded so that it can follow "STREAM: ".
    """
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme.lower(), parts.hostname
        port = parts.port or PORTS.get(scheme)
    except ValueError:
        return "its address is malformed"
    if host is None or port is None or scheme not in PORTS:
        return "it can't be opened"
    try:
        with socket.create_connection((host, port), TIMEOUT) as connection:
            if scheme == "rtsp":
                connection.settimeout(TIMEOUT)
                address = f"[{host}]" if ":" in host else host
                return _described(connection, url.replace(parts.netloc, f"{address}:{port}", 1))
    except OSError as error:
        return f"{host} can't be reached at port {port}: {described(error)}"
    return "the server can be reached, but sends no video that OpenCV can decode"


def _described(connection: socket.socket, url: str) -> str:
    """Return what an RTSP server answers about a stream."""
    if any(char.isspace() for char in url):
        return "its address is malformed"
    try:
        request = f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
        connection.sendall(request.encode())
        status = connection.recv(4096).decode("latin-1").partition("\r\n")[0]
    except OSError as error:
        return f"the server was reached, but doesn't answer: {described(error)}"
    version, _, said = status.partition(" ")
    if not version.startswith("RTSP/"):
        return "the server was reached, but doesn't speak RTSP"
    code = int(said[:3]) if said[:3].isdigit() else 0
    if code == 200:
        return "the server has the stream, but sends no video that OpenCV can decode"
    return f"the server answers {excerpt(said)}{ADVICE.get(code, '')}"
