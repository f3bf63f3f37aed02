"""Groups kept as blocks: read back as they were, put into other patches, found in the stock."""

from __future__ import annotations

from pathlib import Path

import pytest

from editor.blocks import Blocks
from editor.model import Session
from graph.document import NodeEntry, Patch
from graph.edits import AddNode
from graph.errors import PatchError
from graph.form import to_document
from graph.groups import expand
from nodes import kinds


def group() -> NodeEntry:
    inner = Patch()
    inner.add("eq", "eq", b1_on=1, b1_gain_db=3.0)
    inner.add("room", "convolution", settings={"path": "irs/hall.wav"})
    inner.connect("eq.out", "room.in")
    document = to_document(inner)
    entry = NodeEntry("group", title="Hall")
    entry.settings.update(
        patch={"nodes": document["nodes"], "cables": document["cables"]},
        ports={"in": "eq.in", "out": "room.out"},
        params={"mix": "room.mix"},
    )
    entry.params["mix"] = 0.4
    return entry


def test_a_block_is_read_back_with_its_files_named_in_full(tmp_path: Path):
    blocks = Blocks(tmp_path / "blocks")
    blocks.keep("My  hall", group(), kinds(), tmp_path)
    found = Blocks(tmp_path / "blocks").listed()["My hall"]
    assert found.about == "convolution, eq"
    patch = Patch()
    patch.graph.add_node("hall", entry=found.entry)
    flat = expand(patch)
    assert flat.nodes["hall/room"].settings["path"] == (tmp_path / "irs/hall.wav").as_posix()
    assert flat.nodes["hall/eq"].params == {"b1_on": 1, "b1_gain_db": 3.0}
    assert found.entry.params == {"mix": 0.4}
    assert found.entry.title == "My hall"


def test_the_name_is_the_key_whatever_the_file_is_called(tmp_path: Path):
    blocks = Blocks(tmp_path)
    for name in ("Hall", "hall", "Häll?"):
        blocks.keep(name, group(), kinds(), None)
    assert sorted(blocks.listed()) == ["Hall", "Häll?", "hall"]
    other = group()
    other.params["mix"] = 0.9
    before = blocks.count
    blocks.keep("hall", other, kinds(), None)
    assert len(list(tmp_path.glob("*.json"))) == 3
    assert blocks.listed()["hall"].entry.params == {"mix": 0.9}
    assert blocks.listed()["Hall"].entry.params == {"mix": 0.4}
    blocks.remove("Hall")
    assert sorted(blocks.listed()) == ["Häll?", "hall"]
    assert blocks.count > before


def test_what_is_no_block_is_told_and_passed_over(tmp_path: Path):
    (tmp_path / "a.json").write_text("nonsense")
    patch = Patch("Two")
    patch.add("a", "gain")
    patch.save(tmp_path / "b.json")
    blocks = Blocks(tmp_path)
    assert not blocks.listed()
    assert len(blocks.problems) == 2
    assert "expected a block" in blocks.problems[1]
    with pytest.raises(PatchError, match="only a group"):
        blocks.keep("No", NodeEntry("gain"), kinds(), None)
    with pytest.raises(PatchError, match="1 to 60 letters"):
        blocks.keep("   ", group(), kinds(), None)


def test_blocks_are_in_the_stock_and_each_copy_is_its_own(tmp_path: Path):
    session = Session(Patch())
    session.stock.blocks = Blocks(tmp_path)
    session.stock.blocks.keep("Hall", group(), kinds(), tmp_path)
    item = session.stock["block:Hall"]
    assert item in session.stock.items()
    assert not item.is_plugin
    assert [(p.name, p.flow) for p in session.stock.ports("block:Hall")] == [("in", "in"), ("out", "out")]
    session.do(AddNode("one", item.entry()))
    session.do(AddNode("two", item.entry()))
    session.enter("one")
    from graph.edits import SetParam

    session.do(SetParam("eq", "b1_gain_db", -9.0))
    assert expand(session.patch).nodes["two/eq"].params["b1_gain_db"] == 3.0
    assert item.entry().settings["patch"]["nodes"]["eq"]["params"]["b1_gain_db"] == 3.0
    session.stock.blocks.remove("Hall")
    assert "block:Hall" not in session.stock
