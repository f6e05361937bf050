"""Publishing without a broker: URLs, passwords, and a broker that is not there."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

import pytest

from edgeocr.errors import EdgeOCRError, MissingLibraryError
from edgeocr.watch import Broker, Publisher
from edgeocr.watch.outputs.mqtt.broker import read_password
from tests.support.brokers import free_port, until
from tests.support.events import event


def test_urls_name_the_broker_the_user_and_the_topic() -> None:
    assert Broker.parse("mqtt://localhost/a/b%20c") == Broker("localhost", 1883, "a/b c")
    broker = Broker.parse("mqtts://me%40home@[::1]:99/plant", password="secret")
    assert broker == Broker("::1", 99, "plant", True, "me@home", "secret")
    assert "secret" not in repr(broker)
    assert str(broker) == "mqtts://[::1]:99/plant" and broker.status == "plant/status"
    assert Broker.parse("mqtts://host/t", authorities=Path("ca.pem")).port == 8883


@pytest.mark.parametrize(
    ("url", "arguments", "reason"),
    [
        ("http://host/topic", {}, "must be written like mqtt://user@host:1883/topic"),
        ("host/topic", {}, "must be written like"),
        ("mqtt:///topic", {}, "must be written like"),
        ("mqtt://host:99999/topic", {}, "is not a URL like .*: Port out of range"),
        ("mqtt://host", {}, "must name a topic after the host"),
        ("mqtt://host/", {}, "must name a topic after the host"),
        ("mqtt://host/a/+/b", {}, r"has a topic with \+, # or control characters: 'a/\+/b'"),
        ("mqtt://host/a%23", {}, "has a topic with"),
        ("mqtt://host/a%00", {}, "has a topic with"),
        ("mqtt://host/a#b", {}, "must end with the topic; # and"),
        ("mqtt://host/a?b=1", {}, "must end with the topic; # and"),
        ("mqtt://host/" + "a" * 65530, {}, "has a topic that is too long"),
        ("mqtt://me:secret@host/a", {}, "must not contain the password, which other users"),
        ("mqtt://host/a", {"password": "secret"}, "must name the user whose password is given"),
        ("mqtt://host/a", {"authorities": Path("ca.pem")}, "must begin with mqtts://"),
    ],
)
def test_wrong_urls_are_explained(url: str, arguments: dict, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        Broker.parse(url, **arguments)
    assert "secret" not in str(caught.value)


def test_the_password_is_the_only_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("p äss\n", "utf-8")
    assert read_password(file) == "p äss"
    for content in (b"", b"\n", b"one\ntwo\n"):
        file.write_bytes(content)
        with pytest.raises(EdgeOCRError, match="password: the password must be the only line"):
            read_password(file)
    file.write_bytes(b"\xff")
    with pytest.raises(EdgeOCRError, match=r"password: the password can't be read: .*utf-8"):
        read_password(file)
    with pytest.raises(EdgeOCRError, match="missing: the password can't be read: No such file"):
        read_password(tmp_path / "missing")


def test_a_broker_that_is_not_there_costs_neither_time_nor_memory(
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = f"mqtt://127.0.0.1:{free_port()}/plant"
    publisher = Publisher(Broker.parse(name), waiting=3)
    until(lambda: bool(caplog.records), "failing to connect")
    start = time.monotonic()
    for i in range(1000):
        publisher.add(event("appeared", str(i), i))
    assert len(publisher._waiting) == 3
    publisher.close(0.01)
    publisher.close()
    assert time.monotonic() - start < 5
    assert [record.getMessage() for record in caplog.records] == [
        f"{name}: can't connect: Connection refused; this is tried again until it works, and up to "
        "3 events wait in the meantime",
        f"{name}: 3 events wait for the broker; the oldest are dropped from now on",
        f"{name}: events that were not delivered: 1000",
    ]


def test_a_name_that_no_host_can_have_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "edgeocr")
    host = "a" * 70 + ".invalid"
    publisher = Publisher(Broker.parse(f"mqtt://{host}/plant"))
    until(lambda: bool(caplog.records), "failing to connect")
    publisher.close()
    assert f"mqtt://{host}:1883/plant: can't connect: " in caplog.text


def test_authorities_must_be_certificates(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    for content, reason in ((None, "No such file"), ("not a certificate", "")):
        if content is not None:
            file.write_text(content)
        with pytest.raises(EdgeOCRError, match=f"ca.pem: has no certificates in PEM: .*{reason}"):
            Publisher(Broker.parse("mqtts://127.0.0.1/plant", authorities=file))


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    monkeypatch.delitem(sys.modules, "edgeocr.watch.outputs.mqtt.client", raising=False)
    with pytest.raises(MissingLibraryError, match=r"paho-mqtt .*edgeocr\[mqtt\]"):
        Publisher(Broker("127.0.0.1", 1883, "plant"))
