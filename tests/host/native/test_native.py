"""The promises of native code: what is refused, what is checked, what the cache notices, what survives."""

from __future__ import annotations

import gc
import importlib.util
import itertools
import subprocess
import sys
import textwrap
from contextlib import nullcontext

import numpy as np
import pytest
from llvmlite.binding import ModuleRef

from graph.compiler import compile
from graph.document import Patch
from graph.schedule import CompiledNode, KernelStep, Schedule, Slot
from graph.spec import GROUPS, LANES, AudioIn, AudioOut, Config, Level, Memory, Node, Scratch, State, kernel
from host.native import build
from host.native.abi import signature
from host.native.arena import Arena
from host.native.binding import bind
from host.native.source import KernelError, fingerprint
from host.native.store import Library, library
from host.offline import run_arrays
from nodes import kinds

STEREO = Config("n", {}, {"level_db": 0.0}, 48000.0, {"in": "stereo", "out": "stereo"})
numbers = itertools.count()


def load(tmp_path, text: str):
    """A module from text, under a name of its own."""
    path = tmp_path / f"kind{next(numbers)}.py"
    path.write_text("from graph.spec import *\nimport numpy as np\n" + textwrap.dedent(text))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


KIND = """
    @helper
    def shaped(x):
        return x * {factor}

    class Kind(Node):
        kind = "kind"
        signal = AudioIn("in")
        out = AudioOut("out")

        @kernel
        def process(signal, out, n):
            {body}
            for i in range(n):
                for lane in range(out.lanes):
                    out[i, lane] = shaped(signal[i, lane])
"""


def compiled(kind):
    return library().step(kind.process, signature(kind, kind.process.arguments, STEREO))


@pytest.mark.parametrize(
    "body",
    [
        "space = np.zeros(n)",
        "if n > 5: raise ValueError('no')",
        "print(n)",
        "things = [n]; things.append(2); out[0, 0] = len(things) + things[n - 64]",
        "out[0, 0] = int(str(n))",
    ],
)
def test_a_kernel_that_allocates_raises_or_calls_python_is_refused(tmp_path, body):
    module = load(
        tmp_path, KIND.format(factor=2.0, body=body + ("\n            out[0, 0] = space[3]" if "zeros" in body else ""))
    )
    with pytest.raises(KernelError):
        compiled(module.Kind)


def test_a_kernel_that_reads_its_output_is_refused(tmp_path):
    module = load(tmp_path, KIND.format(factor=2.0, body="out[0, 0] = out[1, 0]"))
    with pytest.raises(KernelError):
        compiled(module.Kind)


def test_the_cache_key_follows_helpers_and_constants_but_not_comments(tmp_path):
    first = load(tmp_path, KIND.format(factor=2.0, body="pass"))
    same = load(tmp_path, KIND.format(factor=2.0, body="pass  # a comment"))
    other = load(tmp_path, KIND.format(factor=3.0, body="pass"))
    assert fingerprint(first.Kind.process.function) == fingerprint(same.Kind.process.function)
    assert fingerprint(first.Kind.process.function) != fingerprint(other.Kind.process.function)


def test_an_edit_in_a_helper_is_heard_and_a_second_library_reads_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHWRIGHT_CACHE", str(tmp_path / "cache"))
    module = load(tmp_path, KIND.format(factor=2.0, body="pass"))
    fresh = signature(module.Kind, module.Kind.process.arguments, STEREO)
    first = Library()
    first.step(module.Kind.process, fresh)
    assert first.built == 1
    second = Library()
    second.step(module.Kind.process, fresh)
    assert second.built == 0
    edited = load(tmp_path, KIND.format(factor=4.0, body="pass"))
    second.step(edited.Kind.process, fresh)
    assert second.built == 1


def test_a_damaged_cache_entry_is_built_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHWRIGHT_CACHE", str(tmp_path / "cache"))
    module = load(tmp_path, KIND.format(factor=2.5, body="pass"))
    fresh = signature(module.Kind, module.Kind.process.arguments, STEREO)
    Library().step(module.Kind.process, fresh)
    (entry,) = (tmp_path / "cache").glob("*.o")
    entry.write_bytes(entry.read_bytes()[:-7] + b"garbage")
    again = Library()
    again.step(module.Kind.process, fresh)
    assert again.built == 1


def test_nothing_is_kept_of_what_was_compiled(tmp_path, monkeypatch):
    """A module of LLVM's is megabytes, and a session may compile hundreds of kernels."""
    monkeypatch.setenv("PATCHWRIGHT_CACHE", str(tmp_path / "cache"))
    module = load(tmp_path, KIND.format(factor=2.5, body="pass"))
    own = Library()

    def build(layout: str) -> int:
        config = Config("n", {}, {"level_db": 0.0}, 48000.0, {"in": layout, "out": layout})
        own.step(module.Kind.process, signature(module.Kind, module.Kind.process.arguments, config))
        gc.collect()
        return sum(type(kept) is ModuleRef for kept in gc.get_objects())

    build("mono")  # and its helper, which is kept for the next
    kept = build("stereo")
    assert [build(layout) for layout in ("quad", "5.1")] == [kept, kept]
    assert own.built == 4


def test_the_collector_rests_while_a_kernel_is_built_and_goes_on_after_one_that_cannot_be(tmp_path, monkeypatch):
    """It would walk what is being made again and again: a tenth of the time."""
    monkeypatch.setenv("PATCHWRIGHT_CACHE", str(tmp_path / "cache"))
    resting: list[bool] = []

    def watched(*given: object, real=build.build_kernel) -> bytes:
        resting.append(not gc.isenabled())
        return real(*given)

    monkeypatch.setattr(build, "build_kernel", watched)
    assert gc.isenabled()
    for k, body in enumerate(("pass", "raise ValueError()")):
        module = load(tmp_path, KIND.format(factor=1.25 + k, body=body))
        with nullcontext() if body == "pass" else pytest.raises(KernelError):
            Library().step(module.Kind.process, signature(module.Kind, module.Kind.process.arguments, STEREO))
        assert resting == [True] * (k + 1)
        assert gc.isenabled()


class Careless(Node):
    """Reads and writes beside its arrays."""

    kind = "careless"
    signal = AudioIn("in")
    out = AudioOut("out")
    z = State((3, LANES))

    @kernel
    def process(signal, out, z, n):
        for i in range(n):
            for lane in range(out.lanes):
                z[i % 5, lane] = signal[i + 1, lane]
                out[i, lane] = z[i % 5, lane]


def test_checked_views_count_faults_instead_of_touching_foreign_memory():
    patch = Patch(sample_rate=48000)
    patch.add("in", "audio_in")
    patch.add("bad", "careless")
    patch.add("out", "audio_out")
    patch.connect("in.out", "bad.in")
    patch.connect("bad.out", "out.in")
    schedule = compile(patch, {**kinds(), "careless": Careless}, None)
    _, program = run_arrays(schedule, None, 128, {"in": np.ones((128, 2))}, block=64, checked=True)
    rows = sum(1 for i in range(64) if i % 5 > 2)
    assert program.faults == 2 * 2 * (2 * rows + 1)


def test_run_takes_whole_ticks_only_and_restores_the_float_mode():
    patch = Patch(sample_rate=48000)
    patch.add("osc", "oscillator")
    patch.add("out", "audio_out")
    patch.connect("osc.out", "out.in")
    schedule = compile(patch, kinds(), None)
    tiny = np.float32(1e-40)
    run_arrays(schedule, None, 64)
    assert tiny * np.float32(0.5) != 0, "denormals work again after a run"
    program = bind(schedule, Arena(), None)
    with pytest.raises(ValueError, match="ticks"):
        program.run(65)


class Denormal(Node):
    """Multiplies into the denormal range and back."""

    kind = "denormal"
    signal = AudioIn("in")
    out = AudioOut("out")

    @kernel
    def process(signal, out, n):
        for i in range(n):
            for lane in range(out.lanes):
                small = np.float32(signal[i, lane] * np.float32(1e-39))
                out[i, lane] = small * np.float32(1e38)


def test_denormals_are_flushed_inside():
    patch = Patch(sample_rate=48000)
    patch.add("in", "audio_in")
    patch.add("small", "denormal")
    patch.add("out", "audio_out")
    patch.connect("in.out", "small.in")
    patch.connect("small.out", "out.in")
    schedule = compile(patch, {**kinds(), "denormal": Denormal}, None)
    found, _ = run_arrays(schedule, None, 64, {"in": np.ones((64, 2), np.float32)})
    assert not found["out"].any()


class Smoother(Node):
    """One pole for each lane, with a count for each node: state of both sorts."""

    kind = "smoother"
    wide = True
    signal = AudioIn("in")
    out = AudioOut("out")
    level = Level("level_db", 0.0)
    z = State((2, LANES))
    calls = State((GROUPS,), "i8")
    work = Scratch((64, LANES))

    @kernel
    def process(signal, out, level, z, calls, work, n):
        for g in range(out.groups):
            calls[g] += 1
        for start in range(0, n, 64):
            for i in range(64):
                for lane in range(out.lanes):
                    z[0, lane] += 0.25 * (signal[start + i, lane] - z[0, lane])
                    z[1, lane] += z[0, lane]
                    work[i, lane] = z[0, lane]
            for i in range(64):
                for lane in range(out.lanes):
                    out[start + i, lane] = work[i, lane] * level[start + i, lane]


def wide_schedule(count: int, *, wide: bool) -> Schedule:
    """``count`` stereo smoothers on ``count`` inputs, side by side in one step or one by one, then straight to the
    outputs.
    """
    registry = kinds()
    nodes: list[CompiledNode] = []
    steps = []
    lanes = [2 * count]
    stereo = {"in": "stereo", "out": "stereo"}
    wide_in, wide_out = (1, 2) if wide else (0, 0)
    if wide:
        lanes += [2 * count, 2 * count]

    def slots(k: int) -> tuple[Slot, Slot]:
        if wide:
            return Slot(wide_in, 2 * k, 2), Slot(wide_out, 2 * k, 2)
        return Slot(1 + 2 * k, 0, 2), Slot(2 + 2 * k, 0, 2)

    if not wide:
        lanes += [2] * (2 * count)
    defaults = {"layout": "stereo", "channel": 0, "return_of": "", "latency_frames": 0}
    for k in range(count):
        nodes.append(
            CompiledNode(
                f"in{k}",
                registry["audio_in"],
                Config(f"in{k}", defaults, {"level_db": 0.0, "mute": 0.0}, 48000.0, stereo),
                0,
                0,
            )
        )
        steps.append(KernelStep((len(nodes) - 1,), "process", {}, {"out": slots(k)[0]}, {}))
    first = len(nodes)
    nodes += [
        CompiledNode(f"s{k}", Smoother, Config(f"s{k}", {}, {"level_db": -3.0 * k}, 48000.0, stereo), 0, 0)
        for k in range(count)
    ]
    if wide:
        whole = {"in": Slot(wide_in, 0, 2 * count)}, {"out": Slot(wide_out, 0, 2 * count)}
        steps.append(KernelStep(tuple(range(first, first + count)), "process", *whole, {}))
    else:
        steps += [
            KernelStep((first + k,), "process", {"in": slots(k)[0]}, {"out": slots(k)[1]}, {}) for k in range(count)
        ]
    for k in range(count):
        nodes.append(
            CompiledNode(
                f"out{k}",
                registry["audio_out"],
                Config(f"out{k}", defaults, {"level_db": 0.0, "mute": 0.0}, 48000.0, stereo),
                0,
                0,
            )
        )
        steps.append(KernelStep((len(nodes) - 1,), "process", {"in": slots(k)[1]}, {}, {}))
    return Schedule(48000, tuple(nodes), tuple(steps), tuple(lanes))


def test_nodes_side_by_side_sound_as_they_do_alone_bit_for_bit():
    rng = np.random.default_rng(5)
    inputs = {f"in{k}": rng.standard_normal((256, 2)).astype(np.float32) for k in range(8)}
    wide, _ = run_arrays(wide_schedule(8, wide=True), None, 256, inputs, block=128)
    alone, _ = run_arrays(wide_schedule(8, wide=False), None, 256, inputs, block=128)
    for id, sound in alone.items():
        assert sound.any()
        assert np.array_equal(wide[id], sound)


class Line(Node):
    """Memory that lasts."""

    kind = "line"
    signal = AudioIn("in")
    out = AudioOut("out")
    total = State((LANES,))
    line = Memory(2)

    @classmethod
    def prepare(cls, config, services):
        return {"line": np.zeros((64, config.channels("in")), np.float32)}

    @kernel
    def process(signal, out, total, line, n):
        for i in range(n):
            for lane in range(out.lanes):
                total[lane] += signal[i, lane]
                line[i % line.shape[0], lane] += signal[i, lane]
                out[i, lane] = total[lane] + line[i % 64, lane]


def test_state_and_memory_survive_a_recompile_that_adds_a_node():
    def patch(more: bool) -> Patch:
        patch = Patch(sample_rate=48000)
        patch.add("a-in", "audio_in")
        patch.add("line", "line")
        patch.add("out", "audio_out")
        patch.connect("a-in.out", "line.in")
        patch.connect("line.out", "out.in")
        if more:
            patch.add("a-gain", "gain")
            patch.connect("a-in.out", "a-gain.in")
        return patch

    registry = {**kinds(), "line": Line}
    arena = Arena()
    before = bind(compile(patch(False), registry, None), arena, None)
    state = next(array for key, array in ((k, arena.find(k)) for k in before.keys) if key[:2] == ("state", "line"))
    state[:] = 41.0
    after = bind(compile(patch(True), registry, None), arena, None)
    assert arena.find(("state", "line", "line", "total")) is state
    memory = ("memory", "line", "line", "line")
    assert memory in before.keys
    assert memory in after.keys
    arena.keep_only(after.keys)
    assert arena.find(memory) is not None


def test_reading_declarations_never_imports_a_compiler():
    heavy = "('numba', 'scipy', 'soundfile', 'soxr', 'pedalboard')"
    code = f"import sys, graph, nodes, patchwright; nodes.kinds(); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
