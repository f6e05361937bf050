"""An RTSP server that shows a picture as H.264: GStreamer's, which Debian's Python can drive.

`/usr/bin/python3 tests/support/rtsp_server.py PICTURE.png PORT [USER:PASSWORD]` serves
rtsp://127.0.0.1:PORT/live until it is ended, and prints a line when it is ready.
"""

from __future__ import annotations

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PIPELINE = (
    "( filesrc location={} ! pngdec ! imagefreeze is-live=true ! video/x-raw,framerate=10/1"
    " ! videoconvert ! video/x-raw,format=I420 ! x264enc tune=zerolatency key-int-max=5"
    " speed-preset=ultrafast quantizer=18 pass=quant ! rtph264pay name=pay0 pt=96 )"
)


def main(picture: str, port: str, credentials: str = "") -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE.format(picture))
    factory.set_shared(True)
    if credentials:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*credentials.split(":")), token)
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role("viewer")
        for right in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role("viewer", right, True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        sys.exit(f"port {port} is taken")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
