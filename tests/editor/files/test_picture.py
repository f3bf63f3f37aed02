"""Pictures of patches for the browser: everything on them is where the canvas has it; and the tags that it offers."""

from __future__ import annotations

from pathlib import Path

import pytest

from editor.files.picture import MOST_NODES, picture
from editor.files.shelf import About, common_tags
from graph.document import Patch
from graph.errors import PatchError
from graph.patchfile import load


def test_a_picture_has_all_nodes_cables_and_frames_in_it(root: Path) -> None:
    file = root / "patches" / "dub_delay.json"
    patch, shown = load(file), picture(file)
    assert shown is not None
    assert {(b.box.x, b.box.y) for b in shown.blocks} == {entry.position for entry in patch.nodes().values()}
    assert {b.title for b in shown.blocks} == {entry.title for entry in patch.nodes().values()}
    assert len(shown.cables) == len(patch.cables())
    assert {type for _, type in shown.cables} == {"audio", "control"}
    assert [title for _, _, title in shown.frames] == ["The loop"]
    assert all(shown.span.encloses(b.box) for b in shown.blocks)
    assert all(shown.span.encloses(box) for box, _, _ in shown.frames)


def test_nodes_without_a_place_get_one(tmp_path: Path) -> None:
    patch = Patch()
    patch.add("a", "audio_in")
    patch.add("b", "nobody-knows")
    patch.connect("a.out", "b.in")
    patch.save(tmp_path / "p.json")
    shown = picture(tmp_path / "p.json")
    assert shown is not None
    first, second = (b.box for b in shown.blocks)
    assert first.right < second.x or second.right < first.x


def test_there_is_no_picture_of_nothing_nor_of_very_much_nor_of_what_cannot_be_read(tmp_path: Path) -> None:
    patch = Patch()
    patch.save(tmp_path / "empty.pwp")
    assert picture(tmp_path / "empty.pwp") is None
    for k in range(MOST_NODES + 1):
        patch.add(f"g{k}", "gain")
    patch.save(tmp_path / "large.pwp")
    assert picture(tmp_path / "large.pwp") is None
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(PatchError):
        picture(tmp_path / "broken.json")


def test_common_tags_are_those_that_lead_to_more_than_one_patch() -> None:
    tags = (("post", "voice"), ("post", "echo"), ("voice",), ("post",), ())
    patches = [About(Path(f"{k}.pwp"), "Shipped", str(k), tags=own) for k, own in enumerate(tags)]
    assert common_tags(patches, 9) == ["post", "voice"]
    assert common_tags(patches, 1) == ["post"]
