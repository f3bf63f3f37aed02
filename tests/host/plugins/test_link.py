"""Plugins in workers while the sound goes on: missed, lost, started again; nothing else ever notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from graph.document import Patch
from host.plugins import link as links
from host.plugins.errors import PluginError
from host.plugins.hosted import Patience
from host.plugins.link import Link, PluginsFailedError
from nodes.dsp import handover

from . import fakes, rig
from .c.build import USABLE, WHY_NOT, build, uid
from .rig import RATE, Stage, fake_link, noise, one, rendered, until

ROOT = Path(__file__).resolve().parents[3]
BRISK = Patience(load_s=30.0, block_s=0.3)
FADE = handover.FADE


def without_plugin(stage: Stage) -> np.ndarray:
    """What the output beside the plugin's must be, from an engine that has no plugin."""
    patch = one()
    patch.remove("fx")
    patch.remove("out")
    with fake_link({}, live=True) as link:
        bare = Stage(patch, link, outputs=4, block=stage.block)
        bare.play(stage.at)
    return bare.all_heard[:, 2:]


def standing(link: Link, node: str = "fx") -> links.Standing:
    return link.standing()[node]


def test_live_is_offline_bit_for_bit_from_the_first_frame():
    with fake_link({"Fake": {"delay": 5}}, live=True, block=4096) as link:
        stage = Stage(one(gain=0.3), link, outputs=4)
        link.settle()
        stage.play(4)
        assert standing(link).passed == 0
        heard = stage.all_heard[:, :2]
    with fake_link({"Fake": {"delay": 5}}, live=False) as link:
        wanted = rendered(one(gain=0.3), link, stage.all_given)["out"]
    assert np.array_equal(heard[5:], wanted[: len(heard) - 5])


EVILS = {
    "crashes": {"evil": "process crash"},
    "hangs": {"evil": "process hang"},
    "spins": {"evil": "process spin"},
    "hogs memory": {"evil": "process hog"},
}


@pytest.mark.parametrize("how", EVILS)
def test_what_is_lost_comes_back_with_its_state_and_nothing_else_notices(how, tmp_path, capsys):
    told: list[str] = []
    source = {**EVILS[how], "at": 3, "once": str(tmp_path / "once"), "delay": 10}
    patience = Patience(load_s=30.0, block_s=0.3, megabytes=1024)
    with fake_link({"Fake": source}, live=True, block=4096, patience=patience, notice=told.append) as link:
        stage = Stage(one(), link, outputs=4)
        link.settle()
        stage.play(2)
        link.ask("fx", "set_state", fakes.struct.pack("dd", 0.25, 0.0))
        stage.play_until(lambda: standing(link).recoveries, "the plugin to be back")
        stage.play(3)
        now = standing(link)
        assert now.status == "ready"
        given, heard = stage.all_given, stage.all_heard
    assert np.array_equal(heard[10:, 2:], without_plugin(stage)[:-10]), "the rest, late by the plugin's ten frames"
    wet, dry = given * np.float32(0.5), given
    last = slice(len(given) - 2 * stage.block, len(given) - 10)
    shifted = slice(last.start + 10, last.stop + 10)
    assert np.array_equal(heard[shifted, :2], wet[last]), "it plays again, with the state it had"
    passed = [k for k in range(stage.at) if np.array_equal(*_block(heard, dry, k, stage.block))]
    assert passed, "while it was away its input passed, as late as it would have been"
    assert now.missed >= 1
    assert any("was lost" in text for text in told)
    assert any("is back" in text for text in told)
    with capsys.disabled():
        print(f"\n{how}: back after {now.recoveries[0]:.2f} s, longest wait {1e3 * now.longest_wait_s:.1f} ms")


def _block(heard: np.ndarray, source: np.ndarray, k: int, block: int) -> tuple[np.ndarray, np.ndarray]:
    """The inside of a block that was heard, and of the same stretch of a source, ten frames earlier."""
    inside = slice(k * block + FADE, (k + 1) * block)
    return heard[inside, :2], source[inside.start - 10 : inside.stop - 10]


def test_a_block_that_is_late_is_passed_over_and_its_answer_never_heard(tmp_path):
    source = {"evil": "process slow", "seconds": 0.5, "at": 2, "once": str(tmp_path / "once")}
    with fake_link({"Fake": source}, live=True, block=4096, patience=Patience(30.0, 20.0)) as link:
        stage = Stage(one(gain=0.25), link, outputs=4)
        link.settle()
        stage.play(2)
        stage.play_until(lambda: standing(link).missed, "a block to be missed")
        missed_at = stage.at
        stage.play_until(lambda: np.array_equal(stage.heard[-1][:, :2], stage.given[-1] * np.float32(0.5)), "it")
        now = standing(link)
        assert now.missed == 1
        assert now.recoveries == ()
        assert now.passed == stage.at - 1 - missed_at or now.passed >= 1
    given, heard = stage.all_given, stage.all_heard
    gain = np.ones(len(heard), np.float32)
    for k in range(stage.at):
        own = heard[k * 4096 : (k + 1) * 4096, :2]
        source_block = given[k * 4096 : (k + 1) * 4096]
        is_wet = np.array_equal(own[FADE:], source_block[FADE:] * np.float32(0.5))
        assert is_wet or np.array_equal(own[FADE:], source_block[FADE:]), "every block is the plugin's or the input"
        gain[k * 4096 : (k + 1) * 4096] = 0.5 if is_wet else 1.0
    assert set(gain) == {0.5, 1.0}
    assert np.array_equal(heard[:, 2:], without_plugin(stage))


def test_going_over_to_the_input_and_back_is_a_fade(tmp_path):
    source = {"evil": "process slow", "seconds": 0.4, "at": 2, "once": str(tmp_path / "once")}
    patch = one()  # at unity the plugin's sound is its input: whatever is heard beside it is a click
    with fake_link({"Fake": source}, live=True, block=4096, patience=Patience(30.0, 20.0)) as link:
        stage = Stage(patch, link, outputs=4)
        link.settle()
        stage.play_until(lambda: standing(link).missed, "a block to be missed")
        before = stage.at
        stage.play_until(lambda: standing(link).passed < stage.at - before, "it to be back")
    assert np.abs(stage.all_heard[:, :2] - stage.all_given).max() < 1e-6


def test_until_the_plugin_is_there_the_input_passes():
    source = {"evil": "load hang"}
    with fake_link({"Fake": source}, live=True, block=4096) as link:
        stage = Stage(one(), link, outputs=4)
        heard = stage.play(2)[:, :2]
        given = stage.all_given
    assert np.array_equal(heard, given)


def test_no_number_becomes_silence_is_counted_and_stays_there():
    with fake_link({"Fake": {"evil": "nan", "at": 1}}, live=True, block=4096) as link:
        stage = Stage(one(), link, outputs=4)
        link.settle()
        stage.play(4)
        assert standing(link).scrubbed > 0
        assert standing(link).passed == 0
    assert np.isfinite(stage.all_heard).all()
    assert np.array_equal(stage.all_heard[:, 2:], without_plugin(stage))


def test_what_dies_each_time_is_given_up_in_the_end_and_said(monkeypatch):
    monkeypatch.setattr("host.plugins.watch.DELAYS_S", (0.0, 0.0, 0.05))
    told: list[str] = []
    with fake_link({"Fake": {"evil": "load crash"}}, live=True, block=4096, notice=told.append) as link:
        stage = Stage(one(), link, outputs=4)
        stage.play_until(lambda: standing(link).status == "failed", "it to be given up")
        stage.play(1)
    assert sum("is started again" in text for text in told) == 2
    assert any("cannot be played: its process was ended by SIGSEGV" in text for text in told)
    assert np.array_equal(stage.heard[-1][FADE:, :2], stage.given[-1][FADE:])


def test_a_state_that_is_refused_or_kills_is_left_out_and_said():
    for evil, words in (("", "this is no state of mine"), ("state crash", "it dies when it is given it")):
        told: list[str] = []
        patch = one()
        patch.node("fx").state = b"not sixteen"
        with fake_link({"Fake": {"evil": evil}}, live=True, block=4096, notice=told.append) as link:
            stage = Stage(patch, link, outputs=4)
            stage.play_until(lambda link=link: standing(link).status == "ready", "it to be there without its state")
            stage.play_until(lambda stage=stage: np.array_equal(stage.heard[-1][:, :2], stage.given[-1]), "its sound")
        assert any(f"did not take its state: {words}" in text for text in told), told


def test_a_slow_load_holds_nothing_up():
    with fake_link({"Fake": {"evil": "load slow", "seconds": 1.5}}, live=True, block=4096) as link:
        begun = time.monotonic()
        stage = Stage(one(gain=0.25), link, outputs=4)
        stage.play(4)
        assert standing(link).status != "ready" or time.monotonic() - begun > 1.5
        stage.play_until(lambda: standing(link).status == "ready", "it to be loaded")
        stage.play(2)
        assert np.array_equal(stage.heard[-1][:, :2], stage.given[-1] * np.float32(0.5))


def test_one_process_for_all_dies_and_comes_back_for_all(tmp_path):
    patch = one(gain=0.25)
    patch.add("good", "plugin", settings={"name": "Good"}, gain=0.25)
    patch.disconnect("in.out", "beside.in")
    patch.connect("in.out", "good.in")
    patch.connect("good.out", "beside.in")
    told: list[str] = []
    sources = {"Fake": {"evil": "process crash", "at": 2, "once": str(tmp_path / "once")}, "Good": {}}
    with fake_link(sources, live=True, block=4096, grouping="patch", patience=BRISK, notice=told.append) as link:
        stage = Stage(patch, link, outputs=4)
        link.settle()
        stage.play_until(lambda: all(standing(link, n).recoveries for n in ("fx", "good")), "both to be back")
        stage.play(2)
        assert np.array_equal(stage.heard[-1][:, :2], stage.given[-1] * np.float32(0.5))
    assert any("good: Good was lost with Fake, with which it shares a process" in text for text in told), told


def test_a_turned_knob_reaches_it_and_lasts_through_a_loss(tmp_path):
    with fake_link({"Fake": {}}, live=True, block=4096, patience=BRISK) as link:
        stage = Stage(one(), link, outputs=4)
        link.settle()
        stage.play(2)
        stage.conductor.set_param("fx", "gain", 0.125)
        wanted = np.float32(0.25)
        stage.play_until(lambda: np.array_equal(stage.heard[-1][:, :2], stage.given[-1] * wanted), "the knob")
        (group,) = link._watch.groups.values()
        assert group.child is not None
        os.kill(group.child.process.pid, signal.SIGKILL)
        stage.play_until(lambda: standing(link).recoveries, "it to be back")
        stage.play(2)
        assert np.array_equal(stage.heard[-1][:, :2], stage.given[-1] * wanted)


def test_a_plugin_that_leaves_the_patch_is_let_go_of_and_its_process_ends(monkeypatch):
    monkeypatch.setattr(links, "KEEP_S", 0.0)
    with fake_link({"Fake": {}}, live=True, block=4096) as link:
        stage = Stage(one(), link, outputs=4)
        link.settle()
        (group,) = link._watch.groups.values()
        assert group.child is not None
        process = group.child.process
        bare = one()
        bare.remove("fx")
        bare.connect("in.out", "out.in")
        stage.conductor.set_patch(bare, stage.services)
        stage.play_until(lambda: not stage.conductor.busy, "the patch to be in place")
        until(lambda: link._tidy() or not link.standing(), "the plugin to be let go of")
        until(lambda: process.poll() is not None, "its process to end")


def test_a_bypassed_plugin_is_kept_and_there_at_once():
    with fake_link({"Fake": {}}, live=True, block=4096) as link:
        stage = Stage(one(gain=0.25), link, outputs=4)
        link.settle()
        stage.play(2)
        stage.conductor.set_param("fx", "bypass", 1.0)
        stage.play_until(lambda: np.array_equal(stage.heard[-1][:, :2], stage.given[-1]), "the input")
        stage.conductor.set_param("fx", "bypass", 0.0)
        stage.play_until(
            lambda: np.array_equal(stage.heard[-1][:, :2], stage.given[-1] * np.float32(0.5)), "the plugin"
        )
        assert len(link._hosted) == 1


def test_a_changed_latency_is_told_so_that_the_graph_can_follow():
    calls: list[bool] = []
    with fake_link({"Fake": {"really": 40}}, live=True, block=4096, changed=lambda: calls.append(True)) as link:
        stage = Stage(one(), link, outputs=4)
        until(lambda: calls, "word of the latency")
        stage.conductor.set_patch(one(), stage.services)
        stage.play_until(lambda: not stage.conductor.busy, "the patch to be in place")
        assert stage.conductor._plan is not None
        assert next(n for n in stage.conductor._plan.nodes if n.id == "fx").info["latency"] == 40


def test_edits_around_a_plugin_let_it_play_on():
    """Its latency told anew, and latency put before it: at unity nothing but the delay of the whole may change."""
    with fake_link({"Fake": {"really": 40}}, live=True, block=4096) as link:
        stage = Stage(one(gain=1.0), link, outputs=4)
        until(lambda: standing(link).status == "ready", "the plugin")
        stage.play(2)
        for k, patch in enumerate((one(gain=1.0), _delayed(), one(gain=1.0))):
            stage.conductor.set_patch(patch, stage.services, k)
            stage.play(1)
            stage.play_until(lambda: not stage.conductor.busy, "the patch to be in place")
            stage.play(2)
        now = standing(link)
        assert len(link._hosted) == 1
        assert (now.missed, now.passed) == (0, 0), "it was heard all the time"


@pytest.mark.skipif(not USABLE, reason=WHY_NOT)
def test_a_latency_that_changes_while_it_plays_is_made_up_for_without_a_click(monkeypatch):
    """The plugin is not heard; what is beside it must come to lag as it does, in one smooth movement."""
    from host.plugins.choose import choose
    from host.plugins.description import plain

    bundle = build(MOVES=100)
    about = choose(bundle, uid()).description
    where = {"path": str(bundle), "uid": uid(), "backend": "native", "format": "vst3", "description": plain(about)}
    patch = one("Foretold")
    patch.disconnect("fx.out", "out.in")
    patch.add("silent", "gain", level_db=-96.0)
    for cable in ("fx.out", "silent.in"), ("silent.out", "out.in"), ("in.out", "out.in"):
        patch.connect(*cable)
    tick = 64 / RATE
    start = 5 * 4096 / RATE
    patch.automate("fx", "evil", [(0.0, 0.0, "hold"), (start, 1.0, "hold"), (start + tick, 0.0, "hold")])
    wave = (0.5 * np.sin(2 * np.pi * 440 * np.arange(4096 * 400) / RATE)).astype(np.float32)
    monkeypatch.setattr(rig, "noise", lambda frames, at: np.repeat(wave[at * frames : (at + 1) * frames, None], 2, 1))
    told: list[bool] = []
    with Link(live=True, block=4096, finder=lambda settings: (about, where), changed=lambda: told.append(True)) as link:
        stage = Stage(patch, link, outputs=4)
        until(lambda: standing(link).status == "ready", "the plugin")
        before = len(stage.play(4))
        stage.play_until(lambda: told, "word of the latency")
        stage.conductor.compile_again()
        stage.play(1)
        stage.play_until(lambda: not stage.conductor.busy, "the patch to be in place")
        stage.play(2)
        heard = stage.all_heard[:, 0]
    assert np.array_equal(heard[:before], wave[:before])
    assert np.array_equal(heard[-4096:], wave[len(heard) - 4096 - 100 : len(heard) - 100]), "it lags by its latency"
    bend = [float(np.abs(np.diff(each.astype(float), 2)).max()) for each in (heard, wave)]
    assert bend[0] < 3 * bend[1], "and the way there does not click"


def _delayed() -> Patch:
    patch = one(gain=1.0)
    patch.disconnect("in.out", "fx.in")
    patch.add("slow", "latency", settings={"frames": 100})
    patch.connect("in.out", "slow.in")
    patch.connect("slow.out", "fx.in")
    return patch


def test_questions_to_plugins_are_answered_or_refused_in_words():
    with fake_link({"Fake": {}}, live=False) as link:
        rendered(one(gain=0.25), link, noise(1024))
        assert link.ask("fx", "text", fakes.GAIN, 0.5) == "1.00"
        assert link.ask("fx", "values") == [0.25, 0.0, 0.0]
        assert link.state("fx") == fakes.struct.pack("dd", 0.25, 0.0)
        with pytest.raises(PluginError, match="cannot be asked for 'dance'"):
            link.ask("fx", "dance")
        with pytest.raises(PluginError, match="there is no plugin"):
            link.ask("nowhere", "state")


def test_no_process_outlives_the_engine(tmp_path):
    script = (
        "import sys, os, signal; sys.path[:0] = sys.argv[1:3]\n"
        "from host.plugins.child import Child\n"
        "import fakes\n"
        "child = Child(fakes.OPENER, fakes.HERE)\n"
        "print(child.process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = [sys.executable, "-P", "-c", script, str(ROOT), fakes.HERE]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    until(lambda: not _alive(pid), "the worker to end with its engine")


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


C_EVILS = {
    "crashes": {"CRASHES": True, "AT": 3},
    "hangs": {"HANGS": True, "AT": 3},
    "gives no numbers": {"NO_NUMBERS": True, "AT": 3},
    "hogs memory": {"HOG": 2000, "AT": 3},
    "lies about its channels": {"MANY_CHANNELS": True},
    "moves its latency": {"MOVES": 100, "AT": 3},
    "crashes in its factory": {"FACTORY_CRASHES": True},
    "loads slowly": {"SLEEPS": 2},
    "takes no state": {"NO_STATE": 1},
}


LOST = ("crashes", "hangs", "hogs memory")
WORDS = {
    "crashes": "was lost: its process was ended by SIGSEGV",
    "hangs": "was lost: a block was not done after 0.3 s",
    "hogs memory": "was lost: ",
    "gives no numbers": "samples that were no numbers were replaced with silence",
    "lies about its channels": "cannot be played: Foretold does not take the layouts",
    "crashes in its factory": "was lost: its process was ended by SIGSEGV",
    "takes no state": "did not take its state",
}
"""What the user hears of each; the others only play on."""


@pytest.mark.skipif(not USABLE, reason=WHY_NOT)
@pytest.mark.parametrize("how", C_EVILS)
def test_real_plugins_of_evil_cost_their_own_sound_alone(how, capsys):
    from host.plugins.choose import choose
    from host.plugins.description import plain

    good = choose(build(), uid()).description
    bundle = build(**C_EVILS[how])
    where = {"path": str(bundle), "uid": uid(), "backend": "native", "format": "vst3", "description": plain(good)}
    told: list[str] = []
    patch = one("Foretold")
    patch.node("fx").state = b"" if how == "takes no state" else None
    patience = Patience(load_s=30.0, block_s=0.3, megabytes=1500)

    def news(node: str, message: Mapping[str, object]) -> None:
        if message["notice"] == "trouble":
            told.append(str(message["text"]))

    with Link(
        live=True, block=4096, finder=lambda settings: (good, where), patience=patience, notice=told.append, news=news
    ) as link:
        stage = Stage(patch, link, outputs=4)
        stage.play_until(lambda: standing(link).status in ("ready", "failed") or told, "it to be there, or not")
        stage.play(6)
        if how in LOST:
            stage.play_until(lambda: any("was lost" in text for text in told), "its loss to be noticed")
            stage.play_until(lambda: standing(link).recoveries, "it to be back")
        stage.play(2)
        wanted = WORDS.get(how, "")
        stage.play_until(lambda: not wanted or any(wanted in text for text in told), f"word of it; told: {told}")
        now = standing(link)
    assert np.isfinite(stage.all_heard).all()
    assert np.array_equal(stage.all_heard[:, 2:], without_plugin(stage))
    back = f"back after {now.recoveries[0]:.2f} s" if now.recoveries else "never away"
    with capsys.disabled():
        print(f"\n{how}: {now.status}, {back}; {now.passed} of {stage.at} blocks passed; {' | '.join(told[:2])}")


ZAM = Path("/usr/lib/vst3/ZamEQ2.vst3")


@pytest.mark.skipif(not ZAM.is_dir(), reason="needs zam-plugins")
def test_a_real_plugin_live_and_offline_is_the_same_as_in_this_process():
    from host.plugins.choose import classes, open_plugin
    from host.plugins.description import Arrangement, plain

    (class_id,) = classes(ZAM)
    own = open_plugin(ZAM, class_id, "native")
    source = noise(16384)
    layouts = tuple(tuple(bus.layout for bus in buses) for buses in (own.description.inputs, own.description.outputs))
    layout = layouts[0][0]
    own.prepare(RATE, 512, Arrangement(*layouts))
    given = source.T[: 1 if layout == "mono" else 2].copy()
    wanted = np.zeros_like(given)
    for k in range(0, len(source), 512):
        own.process([given[:, k : k + 512].copy()], [wanted[:, k : k + 512]])
    where = {"path": str(ZAM), "uid": class_id, "backend": "native", "format": "vst3"}
    where["description"] = plain(own.description)
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in", settings={"layout": layout})
    patch.add("fx", "plugin", settings={"name": "ZamEQ2"})
    patch.add("out", "audio_out", settings={"layout": layout})
    patch.connect("in.out", "fx.in")
    patch.connect("fx.out", "out.in")
    with Link(live=False, finder=lambda settings: (own.description, where)) as link:
        found = rendered(patch, link, np.ascontiguousarray(given.T))
    own.close()
    assert np.abs(wanted).max() > 0.1
    assert np.array_equal(found["out"].T, wanted)


def test_a_render_fails_where_a_plugin_died_and_says_which():
    with (
        fake_link({"Fake": {"evil": "process crash", "at": 2}}, live=False) as link,
        pytest.raises(PluginsFailedError, match="fx: Fake: its process was ended by SIGSEGV"),
    ):
        rendered(one(), link, noise(4096))
