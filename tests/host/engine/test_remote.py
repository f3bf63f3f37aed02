"""OSC that moves an engine: over the loopback, to the param, and back."""

from __future__ import annotations

from pathlib import Path

from pythonosc.udp_client import SimpleUDPClient

from host import Engine
from host.remote.control import Remote
from host.remote.engine import EngineTarget

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
