"""Events in a real broker: mosquitto, on loopback."""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeocr.cli.main import main
from edgeocr.watch import Broker, Publisher
from edgeocr.watch.outputs.jsonl import record
from tests.support.brokers import PATIENCE, Mosquitto, until
from tests.support.certificates import authority, certificate
from tests.support.command import environment
from tests.support.events import event
from tests.support.paths import IMAGES

pytestmark = pytest.mark.camera

Message = tuple[str, str, bool]


class Subscriber:
    """A client that keeps the messages of a topic and of those below it, without edgeocr's code."""

    def __init__(
        self,
        port: int,
        *,
        context: ssl.SSLContext | None = None,
        user: str = "",
        session: str = "",
    ) -> None:
        """Connect and subscribe; for a client with a session, the broker keeps what it misses."""
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self._messages: queue.Queue[Message] = queue.Queue()
        self._client = Client(CallbackAPIVersion.VERSION2, session, clean_session=not session)
        if context is not None:
            self._client.tls_set_context(context)
        if user:
            self._client.username_pw_set(user, "secret")
        subscribed = queue.Queue[int]()
        self._client.on_connect = lambda client, *_: client.subscribe("plant/#", 1)
        self._client.on_subscribe = lambda *_: subscribed.put(1)
        self._client.on_message = lambda client, data, message: self._messages.put(
            (message.topic, message.payload.decode(), bool(message.retain))
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        subscribed.get(timeout=PATIENCE)

    def next(self) -> Message:
        """Return the next message, for which it waits."""
        return self._messages.get(timeout=PATIENCE)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Return a function that starts a broker with further settings, which ends with the test."""
    started: list[Mosquitto] = []

    def start(*settings: str, anonymous: bool = True) -> Mosquitto:
        started.append(Mosquitto(tmp_path, *settings, anonymous=anonymous))
        started[-1].start()
        return started[-1]

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture
def broker(start: Callable[..., Mosquitto]) -> Mosquitto:
    return start()


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name.startswith("edgeocr")]


def test_events_are_published_in_order_and_the_status_is_retained(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "edgeocr")
    subscriber = Subscriber(broker.port)
    made = [event("appeared", f"text {i} ° 字", i) for i in range(100)]
    publisher = Publisher(Broker.parse(f"mqtt://127.0.0.1:{broker.port}/plant/line%201"))
    for each in made:
        publisher.add(each, {"snapshot": None})
    publisher.close()
    found = [subscriber.next() for _ in range(102)]
    subscriber.close()
    events = [message for message in found if message[0] == "plant/line 1"]
    assert [text for _, text, _ in events] == [record(each, {"snapshot": None}) for each in made]
    assert json.loads(events[3][1])["text"] == "text 3 ° 字"
    status = [message for message in found if message[0] == "plant/line 1/status"]
    assert [text for _, text, _ in status] == ["online", "offline"]
    later = Subscriber(broker.port)
    assert later.next() == ("plant/line 1/status", "offline", True)
    later.close()
    assert messages(caplog) == [f"mqtt://127.0.0.1:{broker.port}/plant/line 1: connected"]
    with pytest.raises(ValueError, match="is closed"):
        publisher.add(made[0])


def test_events_wait_while_the_broker_is_started_again(
    start: Callable[..., Mosquitto], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "edgeocr")
    broker = start("persistence true", f"persistence_location {tmp_path}/")
    subscriber = Subscriber(broker.port, session="reader")
    publisher = Publisher(Broker.parse(f"mqtt://127.0.0.1:{broker.port}/plant"), waiting=10)
    until(lambda: len(messages(caplog)) == 1, "connecting")
    broker.stop()
    until(lambda: len(messages(caplog)) >= 3, "noticing that the broker is away")
    for i in range(15):
        publisher.add(event("appeared", str(i), i))
    broker.start()
    texts: list[str] = []
    while len(texts) < 10:
        topic, text, _ = subscriber.next()
        if topic == "plant":
            texts.append(json.loads(text)["text"])
    publisher.close()
    subscriber.close()
    assert texts == [str(i) for i in range(5, 15)]
    name = f"mqtt://127.0.0.1:{broker.port}/plant"
    assert messages(caplog) == [
        f"{name}: connected",
        f"{name}: the connection is lost; up to 10 events wait until it is there again",
        f"{name}: can't connect: Connection refused; this is tried again until it works, and up to "
        "10 events wait in the meantime",
        f"{name}: 10 events wait for the broker; the oldest are dropped from now on",
        f"{name}: connected again",
        f"{name}: events that were dropped in the meantime: 5",
    ]


@pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")
def test_the_last_will_tells_that_a_killed_process_is_gone(
    broker: Mosquitto, tmp_path: Path
) -> None:
    script = (
        "import time\n"
        "from edgeocr.watch import Broker, Publisher\n"
        f"publisher = Publisher(Broker.parse('mqtt://127.0.0.1:{broker.port}/plant'))\n"
        "time.sleep(60)\n"
    )
    subscriber = Subscriber(broker.port)
    process = subprocess.Popen([sys.executable, "-c", script], env=environment())
    try:
        assert subscriber.next()[:2] == ("plant/status", "online")
        process.send_signal(signal.SIGKILL)
        assert subscriber.next()[:2] == ("plant/status", "offline")
    finally:
        process.kill()
        process.wait()
        subscriber.close()


def test_user_and_password(
    start: Callable[..., Mosquitto], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "edgeocr")
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "camera", "secret"], check=True)
    broker = start(f"password_file {passwords}", anonymous=False)
    url = f"mqtt://camera@127.0.0.1:{broker.port}/plant"
    subscriber = Subscriber(broker.port, user="camera")
    wrong = Publisher(Broker.parse(url, password="wrong"))
    wrong.add(event("appeared"))
    until(lambda: len(messages(caplog)) == 1, "being refused")
    wrong.close(0.1)
    right = Publisher(Broker.parse(url, password="secret"))
    right.add(event("appeared", "right"))
    right.close()
    assert subscriber.next()[1] == "online"
    assert json.loads(subscriber.next()[1])["text"] == "right"
    subscriber.close()
    refused, lost, connected = messages(caplog)
    assert "can't connect: the broker says: Not authorized; this is tried again" in refused
    assert "secret" not in refused and "wrong" not in refused
    assert lost.endswith(": events that were not delivered: 1")
    assert connected.endswith(": connected")


def test_tls_with_an_authority_of_ones_own(
    start: Callable[..., Mosquitto], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "edgeocr")
    ours, strange = authority(tmp_path / "ours"), authority(tmp_path / "strange")
    key, chain = certificate(ours, "127.0.0.1", tmp_path / "broker")
    broker = start(f"certfile {chain}", f"keyfile {key}")
    url = f"mqtts://127.0.0.1:{broker.port}/plant"
    context = ssl.create_default_context(cafile=ours.certificate_file)
    subscriber = Subscriber(broker.port, context=context)
    for authorities in (strange.certificate_file, None):
        wrong = Publisher(Broker.parse(url, authorities=authorities))
        until(lambda: bool(messages(caplog)), "refusing the broker")
        wrong.close()
        assert "can't connect: " in messages(caplog)[0]
        assert "certificate verify failed" in messages(caplog)[0]
        caplog.clear()
    right = Publisher(Broker.parse(url, authorities=ours.certificate_file))
    right.add(event("appeared", "encrypted"))
    right.close()
    assert subscriber.next()[1] == "online"
    assert json.loads(subscriber.next()[1])["text"] == "encrypted"
    subscriber.close()
    assert messages(caplog) == [f"{url}: connected"]


def test_the_command_publishes_what_it_writes(
    broker: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    subscriber = Subscriber(broker.port)
    url = f"mqtt://127.0.0.1:{broker.port}/plant"
    words = ["--match", r"(\d+\.\d+) bar", "--mqtt", url]
    assert main(["watch", str(IMAGES / "meter.mp4"), *words]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert [json.loads(line)["match"] for line in lines] == ["6.14", "6.97", "8.32", "7.05"]
    found = [subscriber.next() for _ in range(6)]
    subscriber.close()
    assert [text for topic, text, _ in found if topic == "plant"] == lines
    assert [text for topic, text, _ in found if topic == "plant/status"] == ["online", "offline"]
    assert f"as JSON lines, {url}; press Ctrl+C to end\n" in captured.err
    assert f"edgeocr: {url}: connected\n" in captured.err
