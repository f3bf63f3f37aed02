"""Every shipped patch: it opens clean, lies tidily on the canvas, sounds, stays below full scale, does what it says.

``docs/patches.md`` has a table of them that is made from the patches; after a change of words
``.venv/bin/python -m tests.test_shipped_patches`` writes it anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import soundfile

from editor.canvas.curves import point_at
from editor.canvas.scene import Scene
from editor.canvas.view import Box
from editor.files.missing import missing_files
from editor.model import Changes, Session
from graph.check import notes
from graph.compiler import compile
from graph.document import Patch
from graph.patchfile import load
from host import render
from host.measure import measure_file
from host.services import FileServices
from nodes import kinds

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "patches"
DOCS = ROOT / "docs" / "patches.md"
SHIPPED = sorted(FOLDER.glob("*.json"))
RATE = 48000
VOICE = FOLDER / "audio" / "narration.flac"
LONGEST = 32
"""Seconds: the music, and what rings on after it."""
INPUTS = {"live_input_chain": {"live": VOICE}}
"""What is fed to patches that listen to a device."""

every = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)


def shipped(stem: str) -> Patch:
    return load(FOLDER / f"{stem}.json")


def outputs(patch: Patch) -> list[str]:
    return [id for id, entry in patch.nodes().items() if entry.kind == "audio_out"]


def rendered(
    patch: Patch,
    folder: Path,
    seconds: float | None,
    snapshot: str | None = None,
    settings: Mapping[tuple[str, str], float] | None = None,
    inputs: Mapping[str, Path] | None = None,
) -> dict[str, Path]:
    """A file for each output, as long as ``seconds`` or as what is played; nothing clipped, scrubbed or left out."""
    files = {id: folder / f"{id}.wav" for id in outputs(patch)}
    report = render(patch, files, inputs, seconds=seconds, snapshot=snapshot, settings=settings)
    assert report.notes == []
    assert report.seconds < LONGEST
    assert report.scrubbed == 0
    assert set(report.clipped.values()) <= {0}
    return files


def read(path: Path) -> np.ndarray:
    """Samples as ``[frame, channel]``."""
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    assert rate == RATE
    return samples


def db(linear: float) -> float:
    return 20 * np.log10(max(linear, 1e-15))


# -- all of them -------------------------------------------------------------------------------------------------------


def test_there_is_a_library() -> None:
    assert len(SHIPPED) >= 13


@every
def test_it_opens_clean(path: Path) -> None:
    """Nothing is unknown or missing, no node has a problem, and it compiles; with each snapshot, too."""
    patch = load(path)
    assert notes(patch, kinds()) == []
    session = Session(patch, file=path)
    assert {id: session.face(id).problem for id in patch.nodes() if session.face(id).problem} == {}
    assert missing_files(patch, session.kinds) == []
    schedule = compile(patch, kinds(), FileServices(FOLDER), rate=RATE)
    assert schedule.nodes


@every
def test_it_says_what_it_is(path: Path) -> None:
    patch = load(path)
    assert 4 <= len(patch.name) <= 40
    assert 60 <= len(patch.description) <= 500
    assert patch.description.endswith(".")
    assert len(patch.tags) >= 3
    assert patch.tags == sorted({tag.lower() for tag in patch.tags})
    assert all(entry.title for entry in patch.nodes().values())


def _loops(scene: Scene) -> list[set[str]]:
    graph = nx.DiGraph((key[0], key[2]) for key in scene.cables)
    return [found for found in nx.strongly_connected_components(graph) if len(found) > 1]


def _meet(a: Box, b: Box) -> bool:
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


@every
def test_it_lies_tidily_on_the_canvas(path: Path) -> None:
    """No node lies on another, no frame cuts one; cables run from left to right, and behind no node.

    Only cables that close a loop go back; those may.
    """
    scene = Scene(Session(load(path), file=path))
    scene.sync(Changes(everything=True))
    boxes = {id: scene.box(id) for id in scene.places}
    ids = sorted(boxes)
    assert [(a, b) for k, a in enumerate(ids) for b in ids[k + 1 :] if _meet(boxes[a], boxes[b])] == []
    cut = [
        (frame.title, id)
        for frame in scene.frames
        for id, box in boxes.items()
        if _meet(frame.box, box) and not frame.box.encloses(box)
    ]
    assert cut == []
    frames = scene.frames
    assert [(a.title, b.title) for a in frames for b in frames if a.index < b.index and _meet(a.box, b.box)] == []
    loops = _loops(scene)
    for key, curve in scene.curves.items():
        if any({key[0], key[2]} <= loop for loop in loops):
            continue
        assert curve[0][0] < curve[3][0], f"{key} goes back"
        points = [point_at(curve, k / 40) for k in range(41)]
        behind = {
            id for id, box in boxes.items() if id not in (key[0], key[2]) and any(box.holds(x, y) for x, y in points)
        }
        assert behind == set(), f"{key} is hidden"


@every
def test_it_sounds_and_stays_below_full_scale(path: Path, tmp_path: Path) -> None:
    patch = load(path)
    for id, file in rendered(patch, tmp_path, 6, inputs=INPUTS.get(path.stem)).items():
        samples = read(file)
        assert np.isfinite(samples).all(), id
        assert -40 < db(np.abs(samples).max()) < 0, id
        assert abs(samples.mean()) < 1e-3, id
        peak = measure_file(file).loudness.true_peak_dbtp
        assert peak is not None
        assert peak <= -1.0 + 0.05, id


@every
def test_every_snapshot_holds_the_same_params(path: Path) -> None:
    """Whoever goes from one to another hears that one, and nothing of the one before."""
    held = {
        name: {(node, param) for node, params in values.items() for param in params}
        for name, values in load(path).snapshots.items()
    }
    together = set[tuple[str, str]]().union(*held.values())
    assert {name: sorted(together - each) for name, each in held.items() if each != together} == {}


@every
def test_each_snapshot_fits_and_stays_below_full_scale(path: Path, tmp_path: Path) -> None:
    patch = load(path)
    for name in patch.snapshots:
        for id, file in rendered(patch, tmp_path, 2, snapshot=name, inputs=INPUTS.get(path.stem)).items():
            samples = read(file)
            assert np.isfinite(samples).all(), (name, id)
            assert db(np.abs(samples).max()) < 0, (name, id)


# -- they do what they say ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stem", "snapshot", "wanted", "within"),
    [
        ("dialogue_chain", "Broadcast -23 LUFS", -23, 0.5),
        ("dialogue_chain", "Podcast -16 LUFS", -16, 0.5),
        ("stems_and_print_master", None, -23, 0.5),
        ("surround_deliverables", None, -23, 0.5),
        ("multiband_mastering", "Streaming -14 LUFS", -14, 0.5),
        ("multiband_mastering", "Broadcast -23 LUFS", -23, 0.5),
        ("mid_side_mastering", "Master", -14, 1),
    ],
)
def test_what_is_for_delivery_is_as_loud_as_it_must_be(
    stem: str, snapshot: str | None, wanted: float, within: float, tmp_path: Path
) -> None:
    """Rendered as long as it is, as one does: nothing that plays on for ever makes it longer."""
    files = rendered(shipped(stem), tmp_path, None, snapshot=snapshot)
    masters = {id for id in files if id in ("out", "print_out") or stem == "surround_deliverables"}
    assert masters
    for id in masters:
        found = measure_file(files[id]).loudness
        assert found.integrated_lufs == pytest.approx(wanted, abs=within), id
        assert found.true_peak_dbtp is not None
        assert found.true_peak_dbtp <= -1.0 + 0.05, id


def test_the_stems_add_up_to_the_print_master(tmp_path: Path) -> None:
    """Null test of the files, to the last bit but one of 24; and none of them is silent."""
    files = {id: read(file) for id, file in rendered(shipped("stems_and_print_master"), tmp_path, 12).items()}
    stems = [files[id] for id in ("dx_out", "mx_out", "fx_out")]
    assert all(db(np.sqrt((stem**2).mean())) > -50 for stem in stems)
    assert np.abs(files["print_out"] - sum(stems)).max() < 2**-22
    assert np.abs(files["me_out"] - stems[1] - stems[2]).max() < 2**-22


def test_lo_ro_is_the_downmix_of_the_surround_master(tmp_path: Path) -> None:
    """ITU-R BS.775: Lo = L + C/√2 + Ls/√2, without LFE; here 0.7 dB louder, and no limiter has to work."""
    files = {id: read(file) for id, file in rendered(shipped("surround_deliverables"), tmp_path, 10).items()}
    left, right, centre, _, side_left, side_right = files["surround_out"].T
    half, up = 10 ** (-3.0103 / 20), 10 ** (0.7 / 20)
    assert np.abs(files["lo_ro_out"][:, 0] - up * (left + half * centre + half * side_left)).max() < 2e-6
    assert np.abs(files["lo_ro_out"][:, 1] - up * (right + half * centre + half * side_right)).max() < 2e-6
    rms = [db(np.sqrt((lane**2).mean())) for lane in files["surround_out"].T]
    assert min(rms) > -70, "a channel is empty"


def test_mid_and_side_come_back_as_they_were(tmp_path: Path) -> None:
    out = read(rendered(shipped("mid_side_mastering"), tmp_path, 6, snapshot="As it was")["out"])
    assert np.abs(out - read(FOLDER / "audio" / "music.flac")[: len(out)]).max() < 1e-6


def test_the_parallel_paths_meet_to_the_sample(tmp_path: Path) -> None:
    """With what it does switched off, the crushed path is the dry one: together they are twice as loud."""
    patch = shipped("parallel_compression")
    for id in ("crush", "smile", "warm"):
        patch.node(id).bypass = True
    levels = {("main", "level_db"): -12.0, ("crushed", "level_db"): 0.0}
    both = read(rendered(patch, tmp_path, 6, settings=levels)["out"])
    dry = read(rendered(patch, tmp_path, 6, snapshot="Dry only", settings=levels)["out"])
    assert db(np.abs(dry).max()) > -30
    assert np.abs(both - 2 * dry).max() < 1e-6


def test_the_dub_loop_takes_three_sixteenths() -> None:
    """At 80 beats a minute they are 0.5625 s, though a saturator in the loop has latency."""
    patch = shipped("dub_delay")
    schedule = compile(patch, kinds(), FileServices(FOLDER), rate=RATE)
    assert patch.transport.tempo == 80
    assert [{frames for _, frames in loop.periods} for loop in schedule.loops] == [{round(0.75 * 60 / 80 * RATE)}]


def test_the_shimmer_answers_an_octave_higher(tmp_path: Path) -> None:
    """In place of the music a tone of 330 Hz: 660 and 1320 Hz come from the way round, and from nothing else."""
    patch = shipped("shimmer")
    patch.remove("music")
    patch.add("music", "oscillator", freq_hz=330, level_db=-18)
    for target in ("main.in", "send.in"):
        patch.connect("music.out", target)

    def levels(settings: Mapping[tuple[str, str], float]) -> list[float]:
        out = read(rendered(patch, tmp_path, 6, settings=settings)["out"])[2 * RATE :, 0]
        spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out)))) / len(out) * 4
        near = [
            slice(round(len(out) * hertz * 0.97 / RATE), round(len(out) * hertz * 1.03 / RATE)) for hertz in (660, 1320)
        ]
        return [db(spectrum[part].max()) for part in near]

    around, once = levels({}), levels({("again", "mute"): 1.0})
    assert around[0] > -60
    assert around[0] > once[0] + 30
    assert around[1] > once[1] + 20


@pytest.mark.parametrize(("string", "hertz"), [(1, 82.407), (2, 123.471), (3, 195.998), (4, 293.665), (5, 369.994)])
def test_a_plucked_string_has_the_pitch_of_its_name(string: int, hertz: float, tmp_path: Path) -> None:
    """Within 12 cents, as far as whole frames allow, by the nearest peak of its spectrum."""
    patch = shipped("plucked_strings")
    for k in range(1, 6):
        patch.node(f"string_{k}").mute = k != string
    out = read(rendered(patch, tmp_path, 4)["out"]).sum(axis=1)
    size = 1 << 21
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out)), size))
    near = slice(int(hertz * 0.94 * size / RATE), int(hertz * 1.06 * size / RATE))
    found = (near.start + int(spectrum[near].argmax())) * RATE / size
    assert abs(1200 * np.log2(found / hertz)) < 12
    assert spectrum[near].max() > 0.02 * spectrum.max()


def test_the_vocoder_sings_only_while_somebody_speaks(tmp_path: Path) -> None:
    patch = shipped("vocoder")
    sung = read(rendered(patch, tmp_path, 5)["out"])
    still = read(rendered(patch, tmp_path, 5, settings={("voice", "play"): 0.0})["out"])
    assert db(np.abs(sung).max()) > -20
    assert db(np.abs(still).max()) < -80


def test_a_live_voice_is_the_demo_voice_through_the_same_chain_at_once(tmp_path: Path) -> None:
    patch = shipped("live_input_chain")
    demo = read(rendered(patch, tmp_path, 5, "Demo voice", inputs={"live": VOICE})["out"])
    live = read(rendered(patch, tmp_path, 5, "Live voice", inputs={"live": VOICE})["out"])
    assert db(np.abs(demo).max()) > -20
    assert np.array_equal(live, demo)
    schedule = compile(patch, kinds(), FileServices(FOLDER), rate=RATE)
    assert max(node.arrival for node in schedule.nodes) <= RATE // 1000


# -- documentation -----------------------------------------------------------------------------------------------------


def table() -> str:
    """What docs/patches.md says of each, made from the patches: name, first sentence, snapshots, tags."""
    rows = ["| patch | what it is | snapshots | tags |", "|---|---|---|---|"]
    for path in SHIPPED:
        patch = load(path)
        first = patch.description.partition(". ")[0].rstrip(".")
        words = [f"[{patch.name}](../patches/{path.name})", first, ", ".join(patch.snapshots), ", ".join(patch.tags)]
        rows.append(f"| {' | '.join(words)} |")
    return "\n".join(rows) + "\n"


def test_docs_list_every_patch() -> None:
    assert table() in DOCS.read_text(encoding="utf-8")


def write_table() -> None:
    """Put the table as it is now in place of the one that is there."""
    lines = DOCS.read_text(encoding="utf-8").split("\n")
    rows = [k for k, line in enumerate(lines) if line.startswith("| ") or line.startswith("|--")]
    lines[rows[0] : rows[-1] + 1] = table().rstrip("\n").split("\n")
    DOCS.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    write_table()
