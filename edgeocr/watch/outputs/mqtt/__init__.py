"""Publish events to an MQTT broker; needs the extra `mqtt`."""

from .broker import Broker
from .publisher import Publisher

__all__ = ["Broker", "Publisher"]
