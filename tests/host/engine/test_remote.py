"""OSC that moves an engine: over the loopback, to the param, and back."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

from pythonosc.udp_client import SimpleUDPClient

from host import Engine
from host.remote.control import Remote
from host.remote.engine import EngineTarget, EngineTransport
from host.remote.wire import read

from .conftest import until
from .stage import patch

GIVEN = {
    "t": {"kind": "oscillator"},
    "g": {
        "kind": "group",
        "settings": {
            "patch": {"nodes": {"v": {"kind": "gain"}}, "cables": []},
            **{"ports": {"in": "v.in", "out": "v.out"}, "params": {"level": "v.level_db"}},
        },
    },
    "m": {"kind": "meter"},
    "o": {"kind": "audio_out"},
}


def test_osc_sets_params_of_a_patch_that_plays(runtime):
    given = patch(GIVEN, "t.out>g.in g.out>m.in m.out>o.in")
    given.folder = Path.cwd()
    with Engine(given, device="null") as engine:
        target = EngineTarget(engine, given)
        with Remote(target, osc=("127.0.0.1", 0)) as remote:
            remote.start()
            assert remote.osc is not None
            client = SimpleUDPClient(*remote.osc.address)
            assert target.get("g/v", "level_db") == 0.0
            engine.play()
            until(lambda: engine.readings().get("m", {}).get("peak", [0])[0] > 0.2)
            client.send_message("/g/level", -60.0)
            until(lambda: target.get("g/v", "level_db") == -60.0)
            until(lambda: 0.0 < engine.readings()["m"]["peak"][0] < 0.01)
            client.send_message("/m/bypass", 1)
            client.send_message("/g/v/mute", 1)
            until(lambda: target.get("g/v", "mute") == 1.0)
        assert engine.patch.node("g").kind == "group"
        assert not [n for n in engine.notices if n.level == "error"]


def test_osc_moves_the_transport_of_an_engine_and_is_told(runtime, tmp_path):
    given = patch({**GIVEN, "r": {"kind": "file_recorder", "settings": {"path": "take.wav"}}}, "t.out>r.in")
    given.folder = tmp_path
    with (
        Engine(given, device="null") as engine,
        Remote(
            EngineTarget(engine, given), osc=("127.0.0.1", 0), transport=EngineTransport(engine, given.transport.tempo)
        ) as remote,
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as ears,
    ):
        remote.start()
        assert remote.osc is not None
        ears.bind(("127.0.0.1", 0))
        ears.setblocking(False)
        client = SimpleUDPClient(*remote.osc.address)
        heard: dict[str, tuple] = {}

        def told(address: str) -> tuple | None:
            while True:
                try:
                    heard.update((m.address, m.arguments) for m in read(ears.recv(65536)))
                except BlockingIOError:
                    return heard.get(address)

        client.send_message("/subscribe", ["/transport", ears.getsockname()[1]])
        until(lambda: told("/transport/rolling") == (0,))
        client.send_message("/transport/locate", 100.0)
        client.send_message("/transport/play", [])
        until(lambda: told("/transport/rolling") == (1,))
        until(lambda: engine.status.place_s > 100.0)
        client.send_message("/transport/loop", [10.0, 10.25])
        client.send_message("/transport/locate", 10.0)
        until(lambda: engine.status.loop == (10.0, 10.25))
        until(lambda: told("/transport/loop") == (1, 10.0, 10.25))
        until(lambda: 10.0 <= engine.status.place_s < 10.3)
        client.send_message("/transport/record", 1)
        until(lambda: told("/transport/recording") == (1,))
        client.send_message("/transport/record", 0)
        client.send_message("/transport/stop", 1.0)
        until(lambda: told("/transport/recording") == (0,) and told("/transport/rolling") == (0,))
        assert (tmp_path / "take.wav").exists()
        assert not [n for n in engine.notices if n.level == "error"]
