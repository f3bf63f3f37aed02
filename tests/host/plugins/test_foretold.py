"""A VST3 of our own in a worker, in whole patches: every sample of what it plays can be foretold."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from graph.document import Patch
from host.plugins.choose import choose
from host.plugins.description import plain
from host.plugins.link import Link

from .c.build import USABLE, WHY_NOT, build, uid
from .rig import RATE, Stage, noise, one, rendered

pytestmark = pytest.mark.skipif(not USABLE, reason=WHY_NOT)
FRAMES = 4096
KEYED, PLAIN = 0.5, 0.0


@cache
def known(**macros: object):
    path = build(**macros)
    about = choose(path, uid()).description
    return about, {"path": str(path), "uid": uid(), "backend": "native", "format": "vst3", "description": plain(about)}


def play(patch: Patch, block: int = 512, **macros: object) -> dict[str, np.ndarray]:
    with Link(live=False, block=block, finder=lambda settings: known(**macros)) as link:
        return rendered(patch, link, noise(FRAMES))


def keyed(**params: float) -> Patch:
    """The plugin with the middle of its input as key, and its second output played."""
    patch = one("Foretold", **params)
    patch.add("key", "downmix", settings={"to": "mono"})
    patch.add("second", "audio_out", settings={"channel": 4})
    for cable in ("in.out", "key.in"), ("key.out", "fx.sidechain"), ("fx.out_2", "second.in"):
        patch.connect(*cable)
    return patch


def middle(source: np.ndarray) -> np.ndarray:
    return np.float32(0.5) * (source[:, :1] + source[:, 1:])


def test_its_key_is_heard_and_its_second_output_too():
    source = noise(FRAMES)
    found = play(keyed(mode=KEYED))
    assert np.array_equal(found["second"], np.repeat(middle(source), 2, 1)), "the key as it is"
    assert np.array_equal(found["out"], source + middle(source))
    assert np.array_equal(play(keyed(mode=PLAIN))["out"], source)


@pytest.mark.parametrize("split", [{}, {"SPLIT": True}], ids=["one", "two halves"])
def test_a_program_that_the_patch_gives_is_heard_from_the_start_but_for_what_the_patch_gives_beside_it(split):
    """With its halves apart only the controller knows of programs, as with some plugins that people use."""
    source = noise(FRAMES)
    assert np.array_equal(play(one("Foretold", program=0.5), UNITS=True, **split)["out"], np.float32(0.25) * source)
    both = play(one("Foretold", program=0.5, gain=0.75), UNITS=True, **split)["out"]
    assert np.array_equal(both, np.float32(0.75) * source)
    with Link(live=True, block=4096, finder=lambda settings: known(UNITS=True, **split)) as link:
        stage = Stage(one("Foretold", program=0.5), link, outputs=4)
        quarter = np.float32(0.25)
        stage.play_until(lambda: np.array_equal(stage.heard[-1][:, :2], quarter * stage.given[-1]), "the same live")


@pytest.mark.parametrize("block", [64, 512, 2048])
def test_a_step_lands_on_frame_300_whatever_the_block(block):
    patch = one("Foretold")
    patch.automate("fx", "gain", [(0.0, 1.0, "hold"), (300 / RATE, 0.5, "hold")])
    wanted = noise(FRAMES)
    wanted[300:] *= np.float32(0.5)
    assert np.array_equal(play(patch, block)["out"], wanted)


def test_its_latency_is_made_up_for_to_the_sample_beside_it_and_in_its_key():
    patch = keyed(mode=KEYED)
    patch.connect("in.out", "out.in")
    source = noise(FRAMES)
    found = play(patch, DELAY=123)
    assert np.array_equal(found["out"], source + middle(source) + source)


def test_bypassed_or_wet_and_dry_it_stays_aligned():
    patch = one("Foretold")
    patch.node("fx").bypass = True
    patch.connect("in.out", "out.in")
    assert np.array_equal(play(patch, DELAY=123)["out"], 2 * noise(FRAMES))
    patch = one("Foretold", gain=0.5)
    patch.add("mix", "crossfade", position=0.5, settings={"law": "linear"})
    patch.disconnect("fx.out", "out.in")
    for cable in ("in.out", "mix.a"), ("fx.out", "mix.b"), ("mix.out", "out.in"):
        patch.connect(*cable)
    assert np.allclose(play(patch, DELAY=123)["out"], 0.75 * noise(FRAMES), atol=1e-7)
