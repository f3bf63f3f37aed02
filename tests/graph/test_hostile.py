"""Whatever is in a file, it loads or is refused in one clear sentence, and in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from graph.check import notes, problems
from graph.errors import PatchError
from graph.patchfile import dumps, loads, to_document
from nodes import kinds

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def test_every_bad_patch_loads_or_is_refused_in_one_sentence(bad_patches: ModuleType) -> None:
    known = kinds()
    outcomes: Counter[str] = Counter()
    messages: dict[str, str] = {}
    for name, data in bad_patches.corpus():
        try:
            patch = loads(data)
        except PatchError as error:
            outcomes["refused"] += 1
            messages[str(error)] = name
            continue
        outcomes["loaded"] += 1
        document = to_document(patch)
        for form in ("pwp", "json"):
            again = loads(dumps(patch, form))
            assert again == patch, name
            assert to_document(again) == document, name
        for found in problems(patch, known) + notes(patch, known):
            assert found.message, name
            assert len(found.message) < 600, name
            assert f"{found.place}{found.message}".isprintable(), name
    assert outcomes["refused"] >= 1500, outcomes
    assert outcomes["loaded"] >= 600, outcomes
    assert outcomes.total() >= 2000, outcomes
    for message, name in messages.items():
        assert 0 < len(message) < 600, name
        assert message.isprintable(), (name, message)
    assert len(messages) >= 400, "the mutations reach every corner of the reader"


# What has to be refused is refused, with its place: (file, part of the place, part of the message).
REFUSED = [
    ("nothing", "", "an empty file"),
    ("half of it", "", "cut short"),
    ("two patches", "", "expected the end of the file"),
    ("a key twice", "", "'format' is given twice"),
    ("a node twice", "nodes", "'a' is given twice"),
    ("a key twice (msgpack)", "", "'format' is given twice"),
    ("NaN", "metadata.x", "a finite number, found NaN"),
    ("Infinity", "metadata.x[0]", "a finite number, found -Infinity"),
    ("1e999", "metadata.x", "a finite number, found infinity"),
    ("negative zero", "metadata.x", "found -0.0"),
    ("a long integer", "metadata.x", "at most 64 bits"),
    ("a longer integer", "metadata.x", "at most 64 bits"),
    ("half a surrogate pair", "metadata.x", "text in UTF-8"),
    ("bytes that are not base64", "metadata.x", "base64"),
    ("bytes and more", "metadata.x", "$bytes"),
    ("control characters", "line 1, column 88", "expected JSON"),
    ("integer keys", "metadata.x", "expected text as the key of a map, found 5"),
    ("a map as a key", "metadata.x", "expected text as the key of a map"),
    ("an extension", "metadata.x", "a msgpack extension of type 5"),
    ("a timestamp", "metadata.x", "Timestamp"),
    ("a NaN (msgpack)", "metadata.x", "not-a-number"),
    ("text that is not UTF-8", "metadata.x", "UTF-8"),
    ("deep arrays", "", "nest deeper than 128"),
    ("deep maps", "", "nest deeper than 128"),
    ("deep lists as text", "", "nest deeper than 128"),
    ("deep and never closed", "", "nest deeper than 128"),
    ("a huge array, declared", "", "at most 1000000 values"),
    ("a huge map, declared many times", "", "at most 1000000 values"),
    ("a huge text, declared", "", "a text of at most 1000000 characters"),
    ("a huge bytes, declared many times", "", "cut short"),
]


@pytest.mark.parametrize(("name", "place", "message"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_a_bad_file_is_refused_for_what_is_wrong_with_it(
    bad_patches: ModuleType, name: str, place: str, message: str
) -> None:
    with pytest.raises(PatchError) as caught:
        loads(bad_patches.raw_files()[name])
    assert caught.value.place == place
    assert message in caught.value.message


IN_A_CHILD = """
import resource, sys, importlib.util, time
from graph.errors import PatchError
from graph.patchfile import loads
spec = importlib.util.spec_from_file_location("bad_patches", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 * 1024 if sys.platform == "darwin" else 1024)
for name, data in module.bombs():
    size, before = len(data) >> 20, peak()
    try:
        loads(data)
        outcome = "loaded"
    except PatchError as error:
        outcome = "refused"
    print(f"{name}|{size}|{before}|{peak()}|{outcome}", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="measures memory by resource.getrusage")
def test_no_file_takes_more_memory_than_its_bounds_allow(bad_patches: ModuleType) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", IN_A_CHILD, str(HERE / "corpus.py")],
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split("|") for line in done.stdout.splitlines()]
    assert len(lines) > 20
    first = int(lines[0][2])
    for name, size, _, peak, outcome in lines:
        # a million elements at some 80 bytes, twice, beside the file itself and a copy of it
        assert int(peak) - first < 250 + 3 * 64, (name, peak, first)
        assert outcome == ("loaded" if name.startswith(("as many", "much in")) else "refused"), (name, size)
