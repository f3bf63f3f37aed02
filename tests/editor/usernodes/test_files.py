"""Files of nodes of one's own go with the patch, and are not missing where they lie in the node folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from editor.blocks import named_in_full
from editor.canvas.shape import shape
from editor.faces import face, response
from editor.files.collect import collected, to_folder
from editor.files.missing import missing_files, moved
from editor.model import Session
from graph.document import Patch
from graph.patchfile import load
from host.usernodes.source import read
from host.usernodes.trust import trust
from nodes import kinds
from tests.host.usernodes.conftest import GAIN


@pytest.fixture
def patch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Patch:
    """One node beside the patch, one in the node folder, one that is nowhere."""
    monkeypatch.setenv("PATCHWRIGHT_DATA", str(tmp_path / "data"))
    (tmp_path / "data" / "nodes").mkdir(parents=True)
    (tmp_path / "data" / "nodes" / "far.py").write_text(GAIN)
    (tmp_path / "near.py").write_text(GAIN.replace("my_gain", "near"))
    patch = Patch("Own")
    patch.folder = tmp_path
    for id, path in (("a", "near.py"), ("b", "far"), ("c", "nowhere.py")):
        patch.add(id, "user", settings={"path": path})
    return patch


def test_only_what_is_nowhere_is_missing(patch: Patch) -> None:
    assert [named.node for named in missing_files(patch, kinds())] == ["c"]


def test_a_collection_takes_them_along_and_they_are_trusted_as_they_were(patch: Patch, tmp_path: Path) -> None:
    collection = collected(patch, kinds())
    assert collection.missing == ("nowhere.py",)
    file = to_folder(collection, tmp_path, "away", lambda done, whole: None, lambda: False)
    away = load(file)
    assert away.folder == file.parent
    assert [away.node(id).settings["path"] for id in "abc"] == ["nodes/near.py", "nodes/far.py", "nowhere.py"]
    assert (file.parent / "nodes" / "far.py").read_text() == GAIN
    assert (file.parent / "nodes" / "near.py").read_bytes() == (tmp_path / "near.py").read_bytes()


def test_elsewhere_the_node_folder_is_where_it_was(patch: Patch, tmp_path: Path) -> None:
    found = {edit.node: edit.value for edit in moved(patch, kinds(), tmp_path / "sub" / "sub")}
    assert found == {"a": "../../near.py", "c": "../../nowhere.py"}
    assert named_in_full(patch.node("b"), kinds(), tmp_path).settings == {"path": "far"}
    assert named_in_full(patch.node("a"), kinds(), tmp_path).settings == {"path": (tmp_path / "near.py").as_posix()}


def test_its_face_has_what_its_class_declares_once_it_is_trusted(patch: Patch, tmp_path: Path) -> None:
    session = Session(patch)
    before = face("a", patch.node("a"), session.kinds, patch.cables())
    assert "is not trusted" in before.missing
    trust(read(tmp_path / "near.py").digest, tmp_path / "near.py")
    after = face("a", patch.node("a"), session.kinds, patch.cables())
    assert ([p.name for p in after.params], after.missing, after.family) == (["level_db"], "", "mix")
    assert [setting.name for setting in after.declared] == ["path"]


def test_the_stock_lists_the_node_folder(patch: Patch, tmp_path: Path) -> None:
    session = Session(patch)
    assert session.stock.nodes.look()
    item = session.stock["user:far.py"]
    assert (item.family, item.category, item.is_plugin) == ("mix", "not trusted", False)
    assert item.entry().settings == {"path": "far.py"}
    assert not session.stock.nodes.look()
    trust(read(tmp_path / "data" / "nodes" / "far.py").digest, tmp_path / "far.py")
    assert session.stock.nodes.look()
    assert session.stock["user:far.py"].category == "own"
    assert [port.name for port in session.stock.ports("user:far.py")] == ["in", "out"]


def test_its_curve_is_drawn_as_its_class_says_and_not_where_that_goes_wrong(patch: Patch, tmp_path: Path) -> None:
    text = GAIN.replace(
        "    @kernel",
        "    @classmethod\n    def response(cls, config, freqs):\n"
        "        return 0 * freqs + config.params['level_db']\n\n    @kernel",
    )
    freqs = np.array([100.0, 1000.0])
    for returned, expected in (
        ("0 * freqs + config", True),
        ("0 * freqs[1:] + config", False),
        ("1 / 0 + config", False),
    ):
        (tmp_path / "near.py").write_text(text.replace("0 * freqs + config", returned))
        trust(read(tmp_path / "near.py").digest, tmp_path / "near.py")
        patch.node("a").params["level_db"] = -9.0
        own = face("a", patch.node("a"), Session(patch).kinds, patch.cables())
        found = response(own, own.real, 48000.0, freqs)
        assert (None if found is None else found.tolist()) == ([-9.0, -9.0] if expected else None)
        assert any(part.what == "curve" for part in shape(own, own.real).parts)
