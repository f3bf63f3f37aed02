"""The engine with a busy interpreter is an engine in all else."""

from __future__ import annotations

from benchmarks import hogging
from graph import Patch
from graph.delta import delta
from graph.form import to_document
from graph.patchfile import dumps
from host.messages import ChangePatch, OpenDevice, Play, SetPatch
from tests.host.engine.fake import FakeParts


def test_it_acts_upon_what_a_session_is_told(monkeypatch):
    monkeypatch.setattr(hogging, "SLICE_S", 0.0)
    before, after = Patch("Before"), Patch("After")
    after.add("level", "gain", level_db=-3.0)
    parts = FakeParts()
    session = hogging.HoggedSession(parts)
    session.handle(OpenDevice("", "", 0, 0))
    session.handle(SetPatch(1, dumps(before), ""))
    session.handle(ChangePatch(2, 1, delta(to_document(before), to_document(after))), True)
    session.handle(ChangePatch(3, 2, delta(to_document(after), to_document(before))))
    session.handle(Play())
    session.step()
    assert [call for call in parts.players[0].calls if call[0] == "patch"] == [("patch", 1), ("patch", 3)]
    session.close()
