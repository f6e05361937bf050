"""Run a service: listen, answer, and end in order when a signal asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from ..errors import EdgeOCRError
from .app import create_app
from .options import Options
from .protocol import Protocol
from .service import Service

logger = logging.getLogger(__name__)

# Seconds that connections get to close after their requests have been answered.
CLOSING_PATIENCE = 2


def serve(options: Options | None = None) -> None:
    """Serve until SIGTERM or Ctrl+C arrives.

    Raises:
        EdgeOCRError: The address, the token, the certificate or the reader doesn't work.
        ValueError: The address is reached by other machines, and there is no token.
        MissingLibraryError: The extra `serve` is not installed.
    """
    Server(options).run()


class Server:
    """A service that listens.

    Attributes:
        url: Where it listens.
        service: What answers the requests.
        protocol: The class of its connections, with their limits.
    """

    def __init__(self, options: Options | None = None) -> None:
        """Begin to listen; requests are answered once `run` has been called.

        Raises:
            EdgeOCRError, ValueError, MissingLibraryError: As for `serve`.
        """
        self._options = options = options or Options()
        self._app = create_app(options, self._failed)
        self.service: Service = self._app.state.service
        # A class of its own, since uvicorn makes the protocols and passes them no options of ours.
        self.protocol: type[Protocol] = type(
            "BoundedProtocol",
            (Protocol,),
            {
                "head_timeout": options.head_timeout,
                "max_connections": options.max_connections,
                "answer_timeout": options.body_timeout,
                "most_unsent": options.max_body * max(1, options.queue),
            },
        )
        config = uvicorn.Config(
            self._app,
            http=self.protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            # Its warnings are about requests that are no HTTP, of which strangers may send many.
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=CLOSING_PATIENCE,
        )
        if options.tls_certificate is not None:
            config.ssl_certfile = str(options.tls_certificate)
            config.ssl_keyfile = None if options.tls_key is None else str(options.tls_key)
        try:
            _check_certificate(options)
            config.load()
        except OSError as error:
            raise EdgeOCRError(
                f"{options.tls_certificate}: the certificate or its key can't be used: {error}"
            ) from error
        self._config = config
        self._server = _Uvicorn(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Task[None] | None = None
        self._ended = threading.Event()
        self._socket = _listen(options)
        host, port = self._socket.getsockname()[:2]
        scheme = "http" if options.tls_certificate is None else "https"
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def run(self) -> None:
        """Serve until a signal arrives or `end` is called.

        Raises:
            EdgeOCRError: The reader doesn't start.
        """
        try:
            asyncio.run(self._run())
        finally:
            self._ended.set()
            self.close()
        if self.service.failure is not None:
            raise EdgeOCRError(str(self.service.failure))

    def close(self) -> None:
        """Stop listening, where `run` is not called."""
        self._socket.close()

    @property
    def connections(self) -> int:
        """The number of connections that are open."""
        return len(self._server.server_state.connections)

    def end(self) -> None:
        """Let another thread's `run` end as a signal would, and wait until it has ended."""
        if self._loop is not None and not self._ended.is_set():
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._end)
            self._ended.wait()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        with _signals(self._loop, self._end, self._reload):
            logger.info("listening on %s", self.url)
            await self._server.serve(sockets=[self._socket])

    def _failed(self, service: Service) -> None:
        self._server.should_exit = True

    def _end(self) -> None:
        """Begin to end; the second time, end at once."""
        if self._ending is None:
            logger.info("ending: no new requests are answered")
            self._ending = asyncio.ensure_future(self._drain())
        else:
            self._server.should_exit = self._server.force_exit = True

    async def _drain(self) -> None:
        await self.service.drain(self._options.drain)
        self._server.should_exit = True

    def _reload(self) -> None:
        """Read the token and the certificate again; without either, end."""
        options = self._options
        if options.token_file is None and options.tls_certificate is None:
            self._end()
            return
        try:
            self.service.access.reload()
            if self._config.ssl is not None and options.tls_certificate is not None:
                _check_certificate(options)
                self._config.ssl.load_cert_chain(options.tls_certificate, options.tls_key)
        except (EdgeOCRError, OSError) as error:
            logger.error("the token or the certificate can't be read again: %s", error)
        else:
            logger.info("read the token and the certificate again")


class _Uvicorn(uvicorn.Server):
    """uvicorn's server without its signals, which it would raise again at its end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Keep uvicorn from handling signals: `_signals` does that."""
        yield


def _check_certificate(options: Options) -> None:
    """Load the certificate and its key, if there are any, to see that they belong together.

    A context that has loaded a wrong pair can't be used any more, not even with its old one.

    Raises:
        OSError: They don't, or a file can't be read, or the key needs a password.
    """
    if options.tls_certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Without a password to try, OpenSSL would ask for one at the terminal and wait.
        context.load_cert_chain(options.tls_certificate, options.tls_key, password=lambda: "")


def _listen(options: Options) -> socket.socket:
    """Return the socket that listens.

    Raises:
        EdgeOCRError: The address doesn't exist or is in use.
        ValueError: Other machines reach it, and there is no token.
    """
    host, port = options.host, options.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        is_local = ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback
        if not is_local and options.token_file is None and not options.allow_anyone:
            raise ValueError(
                f"other machines can reach {host}: give the service a --token-file, or say "
                "--allow-anyone if anyone there may use it"
            )
        return socket.create_server(address[:2], family=family, backlog=128)
    except (OSError, OverflowError) as error:
        raise EdgeOCRError(f"can't listen on {host}, port {port}: {error}") from error


@contextlib.contextmanager
def _signals(
    loop: asyncio.AbstractEventLoop, end: Callable[[], None], reload: Callable[[], None]
) -> Iterator[None]:
    """Let signals call functions in the event loop while the block runs."""
    if threading.current_thread() is not threading.main_thread():  # others get no signals
        yield
        return
    actions = {"SIGINT": end, "SIGTERM": end, "SIGBREAK": end, "SIGHUP": reload}
    before = {}
    for name, action in actions.items():
        number = getattr(signal, name, None)
        # A signal that is ignored, as `nohup` does with SIGHUP, stays ignored.
        if number is None or signal.getsignal(number) is signal.SIG_IGN:
            continue

        def handle(
            number: int, frame: FrameType | None, action: Callable[[], None] = action
        ) -> None:
            loop.call_soon_threadsafe(action)

        before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
