"""The kind ``plugin``: ports, params and latency from what is known of a plugin; its sound, rendered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from graph.schedule import KernelStep
from host.native.store import library
from host.plugins.link import Link, PluginsFailedError, chains
from host.services import FileServices
from nodes import kinds
from nodes.plugin import variant

from . import fakes
from .rig import RATE, fake_link, noise, one, rendered

FRAMES = 4096


def play(patch: Patch, sources: dict[str, dict[str, object]], frames: int = FRAMES, **options) -> dict[str, np.ndarray]:
    with fake_link(sources, live=False, **options) as link:
        return rendered(patch, link, noise(frames))


def test_ports_and_params_are_the_plugins():
    kind = variant(fakes.description(outputs=2))
    ports = [(p.name, p.flow, p.type, p.layout) for p in kind.ports({})]
    assert ports == [
        ("in", "in", "audio", "stereo"),
        ("sidechain", "in", "sidechain", "mono"),
        ("out", "out", "audio", "stereo"),
        ("out_2", "out", "audio", "stereo"),
    ]
    assert [(p.name, p.default, p.low, p.high, p.curve) for p in kind.params({})] == [
        ("gain", 0.5, 0.0, 1.0, "linear"),
        ("turn", 0.0, 0.0, 1.0, "switch"),
    ]
    assert variant(fakes.description(outputs=2)) is kind, "equal plugins are one kind, so that state lasts"
    assert [p.layout for p in variant(fakes.description(), "mono").ports({}) if p.type == "audio"] == ["mono", "mono"]
    with pytest.raises(PatchError, match=r"Fake does not take 5\.1; it takes stereo, mono"):
        variant(fakes.description(), "5.1")


def test_params_of_one_name_and_names_of_ours_are_told_apart_by_id():
    from dataclasses import replace

    from host.plugins.description import PluginParam

    params = tuple(PluginParam(k, name) for k, name in enumerate(("Gain", "gain", "Bypass", "In", "Größe", "")))
    kind = variant(replace(fakes.description(), params=params))
    names = [p.name for p in kind.params({})]
    assert names == ["gain_0", "gain_1", "bypass_2", "in_3", "gr_e", "param"]


def test_the_sound_is_the_plugins_and_what_is_beside_it_is_untouched():
    source = noise(FRAMES)
    found = play(one(gain=0.25), {"Fake": {}})
    assert np.array_equal(found["out"], source * np.float32(0.5))
    without = one()
    without.remove("fx")
    with fake_link({}, live=False) as link:
        assert np.array_equal(found["dry"], rendered(without, link, source)["dry"])


def test_latency_is_compensated_to_the_sample():
    patch = one()
    patch.connect("in.out", "out.in")
    assert np.array_equal(play(patch, {"Fake": {"delay": 77}})["out"], 2 * noise(FRAMES))


def test_a_latency_that_only_the_loaded_plugin_tells_counts():
    patch = one()
    patch.connect("in.out", "out.in")
    found = play(patch, {"Fake": {"delay": 90}, "Other": {}})
    assert np.array_equal(found["out"], 2 * noise(FRAMES))
    with fake_link({"Fake": {"delay": 0, "really": 0}}, live=False) as link:
        services = FileServices(Path(), link)
        compile(patch, kinds(), services, RATE)
        (hosted,) = link._hosted.values()
        link.settle()
        hosted.latency = 64  # as a plugin may say that only has it at this rate
        assert link.settle()
        assert compile(patch, kinds(), services, RATE).node("fx").latency == 64
        assert not link.settle()


def test_a_latency_given_by_the_user_goes_before_the_plugins():
    with fake_link({"Fake": {"delay": 10}}, live=False) as link:
        schedule = compile(one(settings={"latency_frames": 33}), kinds(), FileServices(Path(), link), RATE)
        assert schedule.node("fx").latency == 33


def test_a_step_of_automation_lands_on_its_frame():
    patch = one()
    at = 300
    patch.automate("fx", "gain", [(0.0, 0.5, "hold"), (at / RATE, 0.25, "hold")])
    source = noise(FRAMES)
    wanted = source.copy()
    wanted[at:] *= np.float32(0.5)
    for block in (64, 512):
        assert np.array_equal(play(patch, {"Fake": {}}, block=block)["out"], wanted)


def test_the_key_is_heard_exactly_and_its_bus_is_off_without_a_cable():
    patch = one()
    patch.add("key", "downmix", settings={"to": "mono"})
    patch.connect("in.out", "key.in")
    patch.connect("key.out", "fx.sidechain")
    source = noise(FRAMES)
    mono = np.float32(0.5) * (source[:, :1] + source[:, 1:])
    assert np.allclose(play(patch, {"Fake": {}})["out"], source + mono, atol=1e-6)


def test_params_that_the_patch_does_not_give_are_as_the_state_says():
    state = fakes.struct.pack("dd", 0.125, 0.0)
    patch = one()
    patch.node("fx").state = state
    assert np.array_equal(play(patch, {"Fake": {}})["out"], noise(FRAMES) * np.float32(0.25))
    patch = one(gain=1.0)
    patch.node("fx").state = state
    assert np.array_equal(play(patch, {"Fake": {}})["out"], noise(FRAMES) * np.float32(2.0))


def test_in_a_loop_it_is_called_tick_by_tick():
    patch = one()
    patch.add("back", "gain", level_db=-6.0)
    patch.connect("fx.out", "back.in")
    patch.connect("back.out", "fx.in", feedback=True)
    source = noise(1024)
    found = play(patch, {"Fake": {}}, 1024)["out"]
    wanted = source.astype(np.float64)
    for start in range(64, 1024, 64):
        wanted[start : start + 64] += 10 ** (-6 / 20) * wanted[start - 64 : start]
    assert np.allclose(found, wanted, atol=1e-5)
    with fake_link({"Fake": {}}, live=False) as link:
        schedule = compile(patch, kinds(), FileServices(Path(), link), RATE)
        steps = [s for s in schedule.steps if isinstance(s, KernelStep)]
        assert [s.kernel for s in steps if schedule.nodes[s.nodes[0]].id == "fx"] == ["process"]


@pytest.mark.parametrize("grouping", ["plugin", "chain", "patch"])
def test_chains_side_by_side_sum_exactly_on_any_number_of_threads_and_processes(grouping):
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in")
    patch.add("out", "audio_out")
    for chain in "ab":
        before = "in"
        for k in range(2):
            patch.add(f"{chain}{k}", "plugin", settings={"name": "Fake"}, gain=0.25)
            patch.connect(f"{before}.out", f"{chain}{k}.in")
            before = f"{chain}{k}"
        patch.connect(f"{before}.out", "out.in")
    assert chains(patch) == {"a0": "a0", "a1": "a0", "b0": "b0", "b1": "b0"}
    source = noise(FRAMES)
    for threads in (1, 2):
        with fake_link({"Fake": {}}, live=False, grouping=grouping, block=2048) as link:
            link.note_chains(patch)
            found = rendered(patch, link, source, threads=threads)
            assert np.array_equal(found["out"], source * np.float32(0.5))
            processes = {g.child.process.pid for g in link._watch.groups.values() if g.child}
            assert len(processes) == {"plugin": 4, "chain": 2, "patch": 1}[grouping]


def test_a_missing_plugin_keeps_ports_params_and_state_and_passes_audio():
    patch = one("Gone", gain=0.25)
    patch.node("fx").state = b"kept"
    patch.automate("fx", "gain", [(0.0, 0.1, "hold")])
    patch.add("lfo", "lfo")
    patch.connect("lfo.out", "fx.turn", amount=0.5)

    def nothing(settings):
        raise PatchError("there is no such plugin here")

    with Link(live=False, finder=nothing) as link:
        services = FileServices(Path(), link)
        with pytest.raises(PatchError, match="no such plugin here") as caught:
            compile(patch, kinds(), services, RATE)
        assert (caught.value.node, caught.value.place) == ("fx", "nodes.fx")
        missing: list[PatchError] = []
        schedule = compile(patch, kinds(), services, RATE, missing=missing)
        assert [e.node for e in missing] == ["fx"]
        from host.offline import run_arrays

        found, _ = run_arrays(schedule, services, FRAMES, {"in": noise(FRAMES)})
    assert np.array_equal(found["out"], noise(FRAMES))
    entry = patch.node("fx")
    assert (entry.state, entry.params, entry.settings["name"]) == (b"kept", {"gain": 0.25}, "Gone")


@pytest.mark.parametrize(("params", "words"), [({"gian": 1}, "there is no param 'gian'"), ({"gain": 2}, "from 0 to 1")])
def test_what_a_patch_asks_of_a_plugin_that_is_there_is_checked(params, words):
    with fake_link({"Fake": {}}, live=False) as link, pytest.raises(PatchError, match=words):
        compile(one(**params), kinds(), FileServices(Path(), link), RATE)


def test_every_plugin_runs_the_same_code():
    """However many params and ports it has: so a plugin is there at once, and nothing is compiled for it."""
    play(one(), {"Fake": {}})
    built = library().built
    patch = one(settings={"layout": "mono"}, gain=0.1)
    patch.add("mono", "downmix", settings={"to": "mono"})
    patch.disconnect("in.out", "fx.in")
    patch.connect("in.out", "mono.in")
    patch.connect("mono.out", "fx.in")
    patch.automate("fx", "gain", [(0.0, 0.1, "linear"), (0.1, 0.2, "hold")])
    schedule_of = [k for k in (variant(fakes.description(), "mono"),) if k.submit is not None]
    assert schedule_of
    from nodes.plugin import _Hosted

    with fake_link({"Fake": {}}, live=False) as link:
        rendered(patch, link, noise(FRAMES))
    assert _Hosted.submit is schedule_of[0].submit
    assert library().built - built <= 3, "only what mono needs of other kinds"


@pytest.mark.parametrize("evil", ["process crash", "process raise", "load raise", "load crash", "nan"])
def test_offline_evil_is_told_and_nothing_hangs(evil, tmp_path):
    source = noise(FRAMES)
    sources = {"Fake": {"evil": evil, "at": 3}}
    with fake_link(sources, live=False) as link:
        if evil in ("nan", "process raise"):
            found = rendered(one(), link, source)
            assert np.isfinite(found["out"]).all()
            if evil == "nan":
                # scrubbed where it comes in, and counted
                assert not found["out"][3 * 512 : 4 * 512 : 3].any(), "scrubbed where it comes in"
        else:
            with pytest.raises(PluginsFailedError, match=r"fx: Fake: (its process|it does not want)"):
                rendered(one(), link, source)


def test_offline_a_plugin_that_hangs_ends_the_render_within_its_patience():
    from host.plugins.hosted import Patience

    sources = {"Fake": {"evil": "process hang", "at": 3}}
    patience = Patience(load_s=30.0, block_s=0.5, restart=False)
    with (
        fake_link(sources, live=False, patience=patience) as link,
        pytest.raises(PluginsFailedError, match=r"fx: Fake: a block was not done after 0\.5 s"),
    ):
        rendered(one(), link, noise(FRAMES))
