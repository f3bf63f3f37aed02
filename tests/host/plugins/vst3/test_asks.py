"""What a plugin asks of its host while it plays (``restartComponent``): taken up by our host and by a link."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from graph.document import Patch
from host.messages import Notice
from host.plugins.description import Arrangement, Description, plain
from host.plugins.instance import Change
from host.plugins.link import Link
from host.plugins.messages import PluginTitles, PluginValues
from host.plugins.talk import Talk
from host.plugins.vst3.plugin import Vst3Plugin
from nodes import kinds

from ..c.build import USABLE, WHY_NOT, build
from ..rig import Stage, until

pytestmark = pytest.mark.skipif(not USABLE, reason=WHY_NOT)
GAIN, EVIL = 100, 666
RELOAD, IO, VALUES, LATENCY, TITLES, CONTROLLERS = 1, 2, 4, 8, 16, 32
MAIN = Arrangement(("stereo", ""), ("stereo", ""))


class Playing:
    """The plugin in its worker, in a patch that plays."""

    def __init__(self, asks: int, number: int) -> None:
        path = build("Asking", number, ASKS=asks)
        plugin = Vst3Plugin(path)
        about, talks = plugin.description, list[Talk]()
        plugin.close()
        source = {"path": str(path), "uid": about.uid, "backend": "native", "format": "vst3", "description": None}

        def find(settings: Mapping[str, Any]) -> tuple[Description, Mapping[str, Any]]:
            return about, {**source, "description": plain(about)}

        self.notices: list[str] = []
        self.link = Link(
            live=True,
            block=4096,
            finder=find,
            notice=self.notices.append,
            news=lambda *said: [talk.heard(*said) for talk in talks],
        )
        self.talk = Talk(self.link, kinds(), lambda *row: self.stage.conductor.set_param(*row))
        talks.append(self.talk)
        self.told: list[Any] = []
        patch = Patch(sample_rate=48000)
        patch.add("in", "audio_in")
        patch.add("fx", "plugin", settings={"uid": about.uid, "name": about.name})
        patch.add("out", "audio_out")
        patch.connect("in.out", "fx.in")
        patch.connect("fx.out", "out.in")
        self.talk.follow(patch)
        self.stage = Stage(patch, self.link)
        self.until(lambda: self.of(PluginValues), "it to be loaded")

    def __enter__(self) -> Playing:
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def of(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.told if isinstance(message, kind)]

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Play until something holds."""

        def holds() -> object:
            self.told += self.talk.step()
            return condition()

        self.stage.play_until(holds, what)

    def ask(self) -> None:
        """Have it ask what it was built to ask."""
        self.stage.conductor.set_param("fx", "evil", 1.0)

    def heard(self) -> float:
        """How loud it plays."""
        given, heard = self.stage.given[-1], self.stage.heard[-1]
        return float(np.abs(heard[:, :2]).max() / np.abs(given).max())


@pytest.mark.parametrize(
    ("asks", "number", "kinds"), [(VALUES, 31, ["params"]), (TITLES, 32, ["names"]), (RELOAD, 33, ["reload"])]
)
def test_what_it_asks_is_told(asks: int, number: int, kinds: list[str]) -> None:
    plugin = Vst3Plugin(build("Asking", number, ASKS=asks))
    plugin.prepare(48000, 64, MAIN)
    into, out = [np.ones((2, 64), np.float32)], [np.zeros((2, 64), np.float32)]
    plugin.process(into, out, changes=[Change(EVIL, 0, 1.0)])
    assert [notice.kind for notice in plugin.notices()] == kinds
    assert plugin.get(GAIN) == 0.25
    assert plugin.titles()[GAIN] == ("Drive", "x")
    plugin.close()


def test_buses_that_are_as_they_were_are_no_news() -> None:
    plugin = Vst3Plugin(build("Asking", 34, ASKS=TITLES | IO, SINGLE=True))
    plugin.prepare(48000, 64, Arrangement(("stereo",), ("stereo",)))
    into, out = [np.ones((2, 64), np.float32)], [np.zeros((2, 64), np.float32)]
    plugin.process(into, out, changes=[Change(EVIL, 0, 1.0)])
    assert [notice.kind for notice in plugin.notices()] == ["names"]
    plugin.close()


def test_controllers_that_move_other_params_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = Vst3Plugin(build("Asking", 35, ASKS=CONTROLLERS))
    plugin.prepare(48000, 64, MAIN)
    table = plugin._moves
    assert table is not None
    table[:] = -1  # as if they had been others when it was loaded
    into, out = [np.ones((2, 64), np.float32)], [np.zeros((2, 64), np.float32)]
    plugin.process(into, out, changes=[Change(EVIL, 0, 1.0)])
    assert plugin.notices() == []
    assert plugin._moves is table, "blocks read this memory"
    assert (table[:, 1] == 0).all()
    assert (np.delete(table, 1, axis=1) == -1).all()
    plugin.close()


def test_values_that_changed_are_told_with_the_state() -> None:
    with Playing(VALUES, 36) as playing:
        playing.ask()
        playing.until(lambda: dict(playing.of(PluginValues)[-1].values)["gain"] == 0.25, "its values")
        playing.until(lambda: abs(playing.heard() - 0.25) < 1e-3, "what it plays then")


def test_what_its_params_are_called_now_is_told() -> None:
    with Playing(TITLES, 37) as playing:
        assert playing.of(PluginTitles) == []
        playing.ask()
        playing.until(lambda: playing.of(PluginTitles), "the names")
        assert playing.of(PluginTitles) == [PluginTitles("fx", (("gain", "Drive", "x"),))]
        assert playing.of(Notice) == [], "nobody has to do anything"


def test_one_that_asks_to_be_loaded_again_plays_on_with_its_state() -> None:
    with Playing(RELOAD, 38) as playing:
        before = len(playing.of(PluginValues))
        playing.ask()
        playing.until(lambda: len(playing.of(PluginValues)) > before, "it to be loaded again")
        assert dict(playing.of(PluginValues)[-1].values)["gain"] == 0.25
        playing.until(lambda: abs(playing.heard() - 0.25) < 1e-3, "it to be heard")
        assert playing.link.standing()["fx"].losses == 0


def test_one_that_loses_its_buses_is_loaded_again_and_told_of() -> None:
    """In its worker's process it has lost them for good, as one has that does so by its state."""
    with Playing(IO, 39) as playing:
        playing.ask()
        playing.until(lambda: playing.link.standing()["fx"].status == "failed", "that to be found")
        assert playing.notices == ["fx: Asking cannot be played: Asking has 1 input buses, not 2"]
        playing.stage.play(4)
        assert playing.heard() == pytest.approx(1.0), "sound passes"


def test_one_that_asks_without_end_is_left_as_it_is() -> None:
    with Playing(RELOAD, 40) as playing:
        hosted = playing.link.hosted("fx")
        assert hosted is not None
        for k in range(4):
            begun = len(playing.of(PluginValues))
            playing.link._told(hosted, {"notice": "reload"})
            if k < 3:
                playing.until(lambda n=begun: len(playing.of(PluginValues)) > n, "it to be loaded again")
        until(lambda: any("again and again" in text for text in playing.notices), "that to be said")
        assert playing.link.standing()["fx"].status == "ready"
