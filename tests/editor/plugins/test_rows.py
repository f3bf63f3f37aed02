"""What the plugin browser lists: every file with its verdict and why, sorted, searched, counted."""

from __future__ import annotations

from pathlib import Path

from editor.plugins.rows import counts, facts, ordered, rows, shown
from editor.plugins.shelf import Known
from host.plugins.store import Store
from tests.editor.plugins.rig import CRUSH, FILES, filled, shelf_of

PING = {"rate": 48000, "block": 512, "reported": 64, "onset": 90, "peak": 95, "level": 1.0, "measured": 90}


def known(folder: Path) -> Known:
    """A shelf on which the latency of one plugin was measured."""
    filled(folder)
    with Store(folder) as store:
        store.put_latency("/plugins/Crush.vst3", CRUSH.uid, 48000, {**PING, "agreement": "later"})
    return shelf_of(folder).known


def test_every_file_is_listed_once_with_its_verdict_and_reason(tmp_path: Path) -> None:
    found = {row.title: row for row in rows(known(tmp_path))}
    assert len(found) == len(FILES)
    assert (found["Bad"].verdict, found["Bad"].reason) == ("crashed", "it died of SIGSEGV while it was loaded")
    assert found["Bad"].item == "", "what is not good cannot be added"
    assert not found["Gone"].file.present
    crush = found["Crush"]
    assert (crush.vendor, crush.version, crush.use) == ("Acme Audio", "2.1.0", "Distortion")
    assert (crush.inputs, crush.outputs) == ("stereo + (mono)", "stereo")
    assert crush.item == f"plugin:vst3:{CRUSH.uid}"
    assert found["Synth"].inputs == "events"


def test_measured_latency_stands_beside_the_reported_one(tmp_path: Path) -> None:
    what = known(tmp_path)
    found = {row.title: row for row in rows(what)}
    assert (found["Crush"].reported, found["Crush"].measured, found["Crush"].agrees) == (64, "90", False)
    assert (found["Hall"].measured, found["Hall"].agrees) == ("", True)
    told = dict(facts(found["Crush"], what.latencies))
    assert told["Latency"] == "64 frames, as it reports"
    assert told["Measured"] == "90 frames, sounds later than it reports"
    assert "Measured" not in dict(facts(found["Hall"], what.latencies))


def test_a_choice_and_a_search_narrow_the_list(tmp_path: Path) -> None:
    all_ = rows(known(tmp_path))
    assert [r.title for r in shown(all_, "bad", "")] == ["Bad"]
    assert [r.title for r in shown(all_, "gone", "")] == ["Gone"]
    assert [r.title for r in shown(all_, "good", "acme pro")] == ["Crush Pro"]
    assert [r.title for r in shown(all_, "all", "crashed")] == ["Bad"]
    assert shown(all_, "all", "crush reverb") == []


def test_columns_sort_up_and_down(tmp_path: Path) -> None:
    all_ = shown(rows(known(tmp_path)), "all", "")
    assert [r.title for r in ordered(all_, "title", True)] == ["Synth", "Hall", "Crush Pro", "Crush", "Bad"]
    assert ordered(all_, "latency", True)[0].title == "Crush"
    assert ordered(all_, "verdict", False)[0].title == "Bad", "what is not good comes first"
    assert [r.vendor for r in ordered(all_, "vendor", False)] == ["Acme Audio"] * 3 + ["Other House", ""]


def test_what_there_is_is_said_in_a_few_words(tmp_path: Path) -> None:
    assert counts(known(tmp_path)) == "4 plugins, 1 not good, 1 no longer there"
    assert counts(Known(read=True)) == "Nothing has been looked at yet."
