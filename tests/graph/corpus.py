"""Bad patches, and patches that are only odd: what the loader, and everything after it, must survive.

``corpus()`` yields ``(name, bytes)``, the same every time; ``bombs()`` what is meant to fill the memory. It
needs nothing but the golden patches, so that other tests may load this file and feed what it yields to the compiler.
"""

from __future__ import annotations

import base64
import copy
import json
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "patches" / "golden"

Sample = tuple[str, bytes]
Path_ = tuple[str | int, ...]

SMALL: dict[str, Any] = {
    "format": "patchwright",
    "version": 1,
    "name": "small",
    "sample_rate": 48000,
    "nodes": {
        "in": {"kind": "audio_in", "settings": {"layout": "mono"}},
        "g": {"kind": "gain", "params": {"level_db": -6.0}, "position": [1, 2], "title": "t", "bypass": False},
        "grp": {
            "kind": "group",
            "settings": {
                "patch": {
                    "nodes": {"a": {"kind": "gain"}, "b": {"kind": "gain", "params": {"level_db": 1}}},
                    "cables": [{"from": "a.out", "to": "b.in"}],
                    "automation": [],
                },
                "ports": {"in": "a.in", "out": "b.out"},
                "params": {"level": "a.level_db"},
            },
            "params": {"level": -3},
        },
        "out": {"kind": "audio_out", "settings": {"layout": "mono"}},
    },
    "cables": [
        {"from": "in.out", "to": "g.in"},
        {"from": "g.out", "to": "grp.in"},
        {"from": "grp.out", "to": "out.in"},
        {"from": "grp.out", "to": "g.in", "feedback": True},
        {"from": "in.out", "to": "g.level_db", "amount": 0.5},
    ],
    "automation": [
        {"node": "g", "param": "level_db", "points": [[0, -60, "linear"], [1, -1, "exponential"], [2, -3, "hold"]]},
        {"node": "grp/b", "param": "level_db", "enabled": False, "points": [[0, 0, "linear"]]},
    ],
    "snapshots": {"s": {"g": {"level_db": -20, "mute": 1}, "grp/a": {"level_db": 0}}},
    "snapshot_states": {"s": {"grp/a": b"state"}},
    "transport": {"tempo": 120, "time_signature": [4, 4], "loop": [0, 1]},
    "metadata": {"a": [1, 2.5, None, True, "x"]},
}

ODD_VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    63,
    2**31,
    -(2**63),
    2**64 - 1,
    0.0,
    0.5,
    -1e-320,
    1e300,
    -1e308,
    float("nan"),
    float("inf"),
    -0.0,
    "",
    "g",
    "g.in",
    "in.out",
    "grp/a",
    "group",
    "no\nsuch",
    "\x00",
    "é" * 70,
    "x" * 3000,
    b"",
    b"\x00\xff",
    [],
    [[]],
    [0, 0, "linear"],
    [1, 2],
    {},
    {"kind": "gain"},
    {"a": {}},
    {"": ""},
    {"$bytes": 1},
]


def corpus(seed: int = 20240, count: int = 2800) -> Iterator[Sample]:
    """All of it: what was made by hand, and ``count`` mutations and random documents."""
    yield from handmade()
    golden = {path.name: path.read_bytes() for path in sorted(GOLDEN.iterdir())}
    small = msgpack.packb(SMALL)
    text = as_text(SMALL, indent=1).encode()
    rng = random.Random(seed)
    share = count // 7
    for i in range(share):
        yield f"bytes of small.pwp {i}", mutated_bytes(small, rng)
        yield f"bytes of v1.pwp {i}", mutated_bytes(golden["v1.pwp"], rng)
        yield f"text of small.json {i}", mutated_bytes(text, rng, b'{}[]",:\\0123456789.eE+-tfn ')
        yield f"structure of small {i}", encoded(mutated(SMALL, rng), rng)
        yield f"structure of v1 {i}", encoded(mutated(json.loads(golden["v1.json"]), rng), rng)
        yield f"well-formed nonsense {i}", msgpack.packb(nonsense(rng))
        yield f"structure of v0 {i}", encoded(mutated(json.loads(golden["v0.json"]), rng), rng)


# -- mutations ---------------------------------------------------------------------------------------------------------


def mutated_bytes(data: bytes, rng: random.Random, alphabet: bytes = bytes(range(256))) -> bytes:
    """A file with one to four wounds."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(out) + 1) if out else 0
        match rng.randrange(8):
            case 0 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(out):
                out[at] = rng.choice(alphabet)
            case 2:
                del out[at : at + rng.randrange(1, 9)]
            case 3:
                out[at:at] = bytes(rng.choice(alphabet) for _ in range(rng.randrange(1, 9)))
            case 4:
                other = rng.randrange(len(out) + 1)
                out[at:at] = out[other : other + rng.randrange(1, 40)]
            case 5:
                del out[at:]
            case 6:
                huge = rng.choice((b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9")) + rng.randbytes(4)
                out[at : at + len(huge)] = huge
            case _:
                size = rng.randrange(1, 9)
                out[at : at + size] = out[at : at + size][::-1]
    return bytes(out)


def paths(value: Any, here: Path_ = ()) -> Iterator[Path_]:
    """Every place in a document."""
    yield here
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*here, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from paths(item, (*here, i))


def mutated(document: Any, rng: random.Random) -> Any:
    """A document in which one to three places hold what they should not."""
    document = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 2, 3))):
        *way, last = rng.choice(list(paths(document))[1:] or [(None,)])
        if last is None:
            break
        holder = document
        for step in way:
            holder = holder[step]
        places = list(paths(document))
        match rng.randrange(6):
            case 0 | 1 | 2:
                holder[last] = copy.deepcopy(rng.choice(ODD_VALUES))
            case 3:
                del holder[last]
            case 4 if isinstance(holder, dict):
                holder[rng.choice(["", "x", "nodes", "kind", "in", "grp", "a/b", "é", "params", "q" * 65])] = (
                    holder.pop(last)
                )
            case _:
                other = document
                for step in rng.choice(places):
                    other = other[step]
                holder[last] = copy.deepcopy(other)
        if not isinstance(document, (dict, list)):
            break
    return document


KINDS = [
    *("audio_in", "audio_out", "file_player", "file_recorder", "oscillator", "noise", "impulse", "gain", "bus", "send"),
    *("pan", "matrix", "channel_map", "split", "merge", "downmix", "sample_delay", "latency", "delay", "filter", "eq"),
    *("compressor", "limiter", "reverb", "convolution", "lfo", "meter", "no_such_kind", "plugin", "group", "user"),
]
PORTS = [
    "in",
    "out",
    "pre",
    "sidechain",
    "L",
    "R",
    "M",
    "C",
    "LFE",
    "a",
    "level_db",
    "freq_hz",
    "mute",
    "bypass",
    "frames",
    "nope",
]
SETTINGS: dict[str, list[Any]] = {
    "layout": ["mono", "stereo", "5.1", "7.1.4", "auto", "9.1", 2, None],
    "in_layout": ["mono", "stereo", "5.1", "lcr", ""],
    "out_layout": ["mono", "stereo", "5.1", "quad", {}],
    "channel": [0, 1, -1, 10**9, 1.5, "L"],
    "path": ["", "no/such.wav", "/etc/passwd", "../../x.wav", "a\x00b", "x" * 5000, ".", 5],
    "map": [{}, {"L": "R"}, {"L": "L", "R": "L"}, {"Q": 5}, {"L": ["R"]}, []],
    "mode": ["stereo", "ping_pong", "lo_ro", "lt_rt", "encode", "", 0],
    "to": ["mono", "stereo", "5.1", "9.1"],
    "law": ["equal_power", "linear", "balance", "none"],
    "type": ["lowpass", "peak", "highshelf", "", 7],
    "algorithm": ["fdn", "freeverb", "x"],
    "detector": ["peak", "rms", "envelope", 1],
    "frames": [0, 1, 64, 10**12, -5, 0.5],
    "loop": [True, False, 1, 2, "yes"],
    "seed": [0, 2**63, -1, 2**64 - 1],
    "start_s": [0, -1, 1e300, 5.5],
    "offset_s": [0, -1, 1e300],
    "subtype": ["FLOAT", "PCM_16", "PCM_7"],
    "return_of": ["", "n0", "nowhere"],
    "latency_frames": [0, 64, -1, 2**40],
}
PARAMS = [
    "level_db",
    "mute",
    "invert",
    "freq_hz",
    "q",
    "gain_db",
    "pan",
    "frames",
    "time_ms",
    "feedback",
    "mix",
    "ratio",
    "b1_on",
    "b8_type",
    "g_L_R",
    "g_M_L",
    "threshold_db",
    "lookahead_ms",
    "phase",
    "rate_hz",
    "nope",
]
NUMBERS = [0, 1, -1, 0.5, 64, 100, 1000, 192_000, 1e9, -96, 24, -1e300, 2**63, True, False, 5e-324]


def nonsense(rng: random.Random) -> dict[str, Any]:
    """A document that loads, and that means nothing in particular."""
    ids = [f"n{i}" for i in range(rng.randrange(1, 9))]
    nodes: dict[str, Any] = {}
    for id in ids:
        node: dict[str, Any] = {"kind": rng.choice(KINDS)}
        few = rng.sample(list(SETTINGS), rng.choice((0, 0, 1, 1, 3)))
        node["settings"] = {name: rng.choice(SETTINGS[name]) for name in few}
        node["params"] = {rng.choice(PARAMS): rng.choice(NUMBERS) for _ in range(rng.choice((0, 0, 1, 2)))}
        node |= {"bypass": rng.random() < 0.1, "mute": rng.random() < 0.1}
        if node["kind"] == "group":
            inner = nonsense(rng) if rng.random() < 0.5 else {"nodes": {"n0": {"kind": "gain"}}, "cables": []}
            exposed = {port: f"n0.{port}" for port in rng.sample(PORTS, 3)}
            node["settings"] = {"patch": inner, "ports": {"in": "n0.in", "out": "n0.out"}, "params": exposed}
        nodes[id] = node
    cables: dict[tuple[str, str], dict[str, Any]] = {}
    for _ in range(rng.randrange(12)):
        ends = (
            f"{rng.choice(ids)}.{rng.choice((*PORTS, 'out', 'out'))}",
            f"{rng.choice(ids)}.{rng.choice((*PORTS, 'in', 'in'))}",
        )
        cables[ends] = {"from": ends[0], "to": ends[1], "feedback": rng.random() < 0.3}
        if rng.random() < 0.2:
            cables[ends]["amount"] = float(rng.choice((0, 0.5, -1, 1e300)))
    where = [*ids, "n0/n0", "nowhere"]
    return {
        "format": "patchwright",
        "version": 1,
        "nodes": nodes,
        "cables": list(cables.values()),
        "automation": [
            {
                "node": rng.choice(where),
                "param": rng.choice((*PARAMS, "bypass", "mute")),
                "points": [
                    [
                        rng.choice((0, 1, 1.5, -1, 1e9, 1e300)),
                        rng.choice(NUMBERS),
                        rng.choice(("linear", "exponential", "hold", "x")),
                    ]
                    for _ in range(rng.randrange(4))
                ],
            }
            for _ in range(rng.choice((0, 0, 1, 2)))
        ],
        "snapshots": {"s": {rng.choice(where): {rng.choice(PARAMS): rng.choice(NUMBERS)}}},
    }


def encoded(document: Any, rng: random.Random) -> bytes:
    """In either form, whether or not it can be a patch."""
    if rng.random() < 0.5:
        return msgpack.packb(document)
    return json.dumps(document, default=lambda value: {"$bytes": value.hex()}).encode()


# -- made by hand ------------------------------------------------------------------------------------------------------


def nested_groups(depth: int) -> dict[str, Any]:
    """A patch with groups in groups."""
    inner: dict[str, Any] = {"nodes": {"a": {"kind": "gain"}}, "cables": []}
    for _ in range(depth):
        inner = {"nodes": {"g": {"kind": "group", "settings": {"patch": inner}}}, "cables": []}
    return {"format": "patchwright", "version": 1, **inner}


def _with(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SMALL), **fields}


def as_text(document: Any, **how: Any) -> str:
    """A document as JSON, bytes and all."""
    return json.dumps(document, default=lambda data: {"$bytes": base64.b64encode(data).decode()}, **how)


def _node(**fields: Any) -> dict[str, Any]:
    document = copy.deepcopy(SMALL)
    document["nodes"]["g"].update(fields)
    return document


def handmade() -> Iterator[Sample]:
    """What someone would try."""
    for name, data in raw_files().items():
        yield name, data
    for name, document in documents().items():
        yield f"{name} (msgpack)", msgpack.packb(document)
        yield f"{name} (json)", as_text(document).encode()


def raw_files() -> dict[str, bytes]:
    """Files that are not what they seem."""
    good = as_text(SMALL)
    packed = msgpack.packb(SMALL)
    head = b'{"format": "patchwright", "version": 1, "cables": [], "nodes": {}, "metadata": '
    pairs = msgpack.packb("format") + msgpack.packb("patchwright") + msgpack.packb("version") + b"\x01"
    rest = msgpack.packb("nodes") + b"\x80" + msgpack.packb("cables") + b"\x90"

    def with_metadata(value: bytes) -> bytes:
        return b"\x85" + pairs + rest + msgpack.packb("metadata") + b"\x81" + msgpack.packb("x") + value

    files = {
        "nothing": b"",
        "a space": b" ",
        "a null byte": b"\x00",
        "an empty map": b"\x80",
        "an empty object": b"{}",
        "a list": b"[]",
        "nil": b"\xc0",
        "not msgpack": b"\xc1" * 10,
        "half of it": packed[: len(packed) // 2],
        "half of the text": good[: len(good) // 2].encode(),
        "two patches": packed + packed,
        "two texts": (good + good).encode(),
        "trailing zero": packed + b"\x00",
        "trailing comma": good[:-1].encode() + b",}",
        "a comment": b"// patch\n" + good.encode(),
        "a byte order mark": b"\xef\xbb\xbf" + good.encode(),
        "UTF-16": good.encode("utf-16"),
        "Latin-1": b'{"format": "patchwright", "name": "M\xfcsik"}',
        "a PNG": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "a WAV": b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(100),
        "a pickle": b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        "deep arrays": b"\x81\xa1a" + b"\x91" * 100_000 + b"\xc0",
        "deep maps": b"\x81\xa1a" * 100_000 + b"\xc0",
        "deep lists as text": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "deep objects as text": b'{"a": ' * 100_000 + b"1" + b"}" * 100_000,
        "deep and never closed": b'{"a": ' + b"[" * 200_000,
        "deep in an open string": b'{"a": "' + b"[" * 200_000,
        "closed more than opened": b'{"a": 1' + b"}" * 1000 + b"[" * 1000,
        "quotes and backslashes": b'{"a": "' + b"\\" * 100_001 + b'"}',
        "a key twice": b'{"format": "patchwright", "format": "patchwright", "version": 1, "nodes": {}, "cables": []}',
        "a node twice": b'{"format": "patchwright", "version": 1, "cables": [], "nodes": {"a": {"kind": "gain"}, '
        b'"a": {"kind": "bus"}}}',
        "a key twice (msgpack)": b"\x85" + pairs + rest + msgpack.packb("format") + msgpack.packb("patchwright"),
        "NaN": head + b'{"x": NaN}}',
        "Infinity": head + b'{"x": [-Infinity]}}',
        "1e999": head + b'{"x": 1e999}}',
        "negative zero": head + b'{"x": -0.0}}',
        "a long integer": head + b'{"x": 1' + b"0" * 30 + b"}}",
        "a longer integer": head + b'{"x": 1' + b"0" * 100_000 + b"}}",
        "half a surrogate pair": head + b'{"x": "\\ud800"}}',
        "half a surrogate pair as a key": head + b'{"\\udfff": 1}}',
        "bytes that are not base64": head + b'{"x": {"$bytes": "***"}}}',
        "bytes that are a number": head + b'{"x": {"$bytes": 5}}}',
        "bytes and more": head + b'{"x": {"$bytes": "AA==", "y": 1}}}',
        "control characters": head + b'{"x": "a\nb"}}',
        "integer keys": with_metadata(b"\x81\x05\x05"),
        "a map as a key": with_metadata(b"\x81\x80\x05"),
        "a list as a key": with_metadata(b"\x81\x90\x05"),
        "nil as a key": with_metadata(b"\x81\xc0\x05"),
        "bytes as a key": with_metadata(b"\x81\xc4\x01a\x05"),
        "an extension": with_metadata(b"\xd4\x05\x00"),
        "a long extension": with_metadata(b"\xc7\x03\x05abc"),
        "a timestamp": with_metadata(b"\xd6\xff\x00\x00\x00\x00"),
        "a bad timestamp": with_metadata(b"\xc7\x03\xffabc"),
        "a NaN (msgpack)": with_metadata(b"\xcb" + struct.pack(">d", float("nan"))),
        "a NaN of 32 bits": with_metadata(b"\xca" + struct.pack(">f", float("nan"))),
        "negative zero (msgpack)": with_metadata(b"\xcb" + struct.pack(">d", -0.0)),
        "text that is not UTF-8": with_metadata(b"\xa2\xff\xfe"),
        "a key that is not UTF-8": with_metadata(b"\x81\xa2\xff\xfe\x01"),
    }
    for name, header in {
        "array": b"\xdd\xff\xff\xff\xff",
        "map": b"\xdf\xff\xff\xff\xff",
        "text": b"\xdb\xff\xff\xff\xff",
        "bytes": b"\xc6\xff\xff\xff\xff",
        "extension": b"\xc9\xff\xff\xff\xff\x05",
        "array of a million": b"\xdd\x00\x0f\x42\x40",
    }.items():
        files[f"a huge {name}, declared"] = with_metadata(header)
        files[f"a huge {name}, declared many times"] = with_metadata(header * 500)
    return files


def documents() -> dict[str, Any]:
    """Documents that say what they should not."""
    found: dict[str, Any] = {
        "no format": {k: v for k, v in SMALL.items() if k != "format"},
        "no version": {k: v for k, v in SMALL.items() if k != "version"},
        "no nodes": {k: v for k, v in SMALL.items() if k != "nodes"},
        "no cables": {k: v for k, v in SMALL.items() if k != "cables"},
        "another format": _with(format="zip"),
        "a long text": _with(description="x" * 1_000_001),
        "a long key": _with(metadata={"k" * 1_000_001: 1}),
        "$bytes as a field": _with(**{"$bytes": "AA=="}),
        "a node of no kind": _with(nodes={**SMALL["nodes"], "x": {}}),
        "an empty kind": _node(kind=""),
        "a long kind": _node(kind="k" * 300),
        "groups 20 deep": nested_groups(20),
        "groups 40 deep": nested_groups(40),
        "groups 400 deep": nested_groups(30) | {"metadata": {"deep": json.loads("[" * 100 + "]" * 100)}},
        "lists 120 deep": _with(metadata={"deep": json.loads("[" * 120 + "]" * 120)}),
        "lists 140 deep": _with(metadata={"deep": json.loads("[" * 140 + "]" * 140)}),
        "a cable twice": _with(cables=[*SMALL["cables"], SMALL["cables"][0]]),
        "a cable to nowhere": _with(cables=[{"from": "in.out", "to": "nowhere.in"}]),
        "a cable to itself": _with(cables=[{"from": "g.out", "to": "g.in"}]),
        "a cable into a group's inside": _with(cables=[{"from": "in.out", "to": "grp/a.in"}]),
        "a cable to a port that is not exposed": _with(cables=[{"from": "in.out", "to": "grp.side"}]),
        "a group without a patch": _node(kind="group", settings={}, params={}),
        "a group that exposes nothing real": _node(
            kind="group", params={}, settings={"patch": {"nodes": {}, "cables": []}, "ports": {"in": "a.in"}}
        ),
        "many tags": _with(tags=["t"] * 5000),
        "many points": _with(
            automation=[{"node": "g", "param": "level_db", "points": [[i, 0, "hold"] for i in range(3000)]}]
        ),
        "times that go back": _with(
            automation=[{"node": "g", "param": "level_db", "points": [[2, 0, "hold"], [1, 0, "hold"]]}]
        ),
        "times before the start": _with(automation=[{"node": "g", "param": "level_db", "points": [[-5, 0, "hold"]]}]),
        "times after the end of time": _with(
            automation=[{"node": "g", "param": "level_db", "points": [[1e300, 0, "hold"]]}]
        ),
        "an exponential through zero": _with(
            automation=[{"node": "g", "param": "level_db", "points": [[0, -1, "exponential"], [1, 1, "hold"]]}]
        ),
        "automation twice": _with(automation=[SMALL["automation"][0]] * 2),
        "automation of what is not there": _with(automation=[{"node": "x/y/z", "param": "p", "points": []}]),
    }
    for version in (-1, 0, 2, 10**15, 1.0, "1", None, True, [], {}):
        found[f"version {version!r}"] = _with(version=version)
    for rate in (0, -1, 1, 7999, 768_001, 44100.5, "48000", True):
        found[f"sample rate {rate!r}"] = _with(sample_rate=rate)
    for id in ("", "a" * 65, "a/b", "é", "a\n", "a.b", " ", "a\u202eb", "__proto__", "con", "-", "0"):
        found[f"id {id!r}"] = _with(nodes={id: {"kind": "gain"}}, cables=[], automation=[], snapshots={})
    for address in (
        "",
        ".",
        "g",
        "g.",
        ".in",
        "g.in.x",
        "g .in",
        "g.\n",
        "g." + "p" * 300,
        "x.in",
        5,
        None,
        ["g", "in"],
        {},
    ):
        found[f"cable from {str(address)[:20]!r}"] = _with(cables=[{"from": address, "to": "out.in"}])
        found[f"cable to {str(address)[:20]!r}"] = _with(cables=[{"from": "in.out", "to": address}])
    for amount in (True, "1", [], 1e300, -1e300):
        found[f"amount {amount!r}"] = _with(cables=[{"from": "in.out", "to": "g.level_db", "amount": amount}])
    for value in ("1", None, [], {}, True, 1e300, -97, 24.001, 2**63):
        found[f"param {value!r}"] = _node(params={"level_db": value})
    for point in (
        [],
        [0],
        [0, 1],
        [0, 1, 2],
        ["0", 1, "hold"],
        [0, 1, "curvy"],
        [True, 0, "hold"],
        {},
        [0, 1, "hold", 1],
    ):
        found[f"point {point!r}"] = _with(automation=[{"node": "g", "param": "level_db", "points": [point]}])
    for loop in ([], [1], [1, 0], [-1, 1], [0, 0], "all", [0, "1"], [0, 1, 2]):
        found[f"loop {loop!r}"] = _with(transport={"loop": loop})
    for tempo in (0, -1, 1001, "fast", True, None):
        found[f"tempo {tempo!r}"] = _with(transport={"tempo": tempo})
    for signature in ([4], [0, 4], [4, 65], [4.0, 4], "4/4", [True, 4]):
        found[f"time signature {signature!r}"] = _with(transport={"time_signature": signature})
    return found


# -- bombs -------------------------------------------------------------------------------------------------------------


def bombs() -> Iterator[Sample]:
    """Files that would fill the memory of a loader that trusted them, up to the largest that are let in."""
    array, map_ = b"\xdd", b"\xdf"
    for million in (1, 16):
        n = million * 2**20
        size = n.to_bytes(4, "big")
        yield f"{million} MiB of empty maps", b"\x81\xa5nodes" + array + size + b"\x80" * n
        yield f"{million} MiB of empty lists", b"\x81\xa5nodes" + array + size + b"\x90" * n
        yield f"{million} MiB of nil", b"\x81\xa5nodes" + array + size + b"\xc0" * n
        yield f"{million} MiB of lists in lists", b"\x81\xa5nodes" + b"\x91" * n
        yield f"{million} MiB of zeros as text", b'{"nodes": [' + b"0," * (n // 2) + b"0]}"
        yield f"{million} MiB of empty objects as text", b'{"nodes": [' + b"{}," * (n // 3) + b"{}]}"
        yield f"{million} MiB of brackets", b"{" + b"[" * n
        yield f"{million} MiB of escapes", b'{"nodes": "' + b"\\n" * (n // 2) + b'"}'
    most = 900_000
    patch = msgpack.packb({"format": "patchwright", "version": 1, "nodes": {}, "cables": []})
    patch = bytes([patch[0] + 1]) + patch[1:] + msgpack.packb("later")
    yield "as many empty maps as are let in", patch + array + (most // 2).to_bytes(4, "big") + b"\x80" * (most // 2)
    yield "as many maps of one", patch + array + (most // 3).to_bytes(4, "big") + b"\x81\xa0\xc0" * (most // 3)
    keys = b"".join(b"\xa8" + f"{i:08x}".encode() + b"\x80" for i in range(most // 3))
    yield "as many keys", patch + map_ + (most // 3).to_bytes(4, "big") + keys
    header = array + (1_000_000).to_bytes(4, "big")
    yield "arrays of a million, declared in each other", b"\x81\xa1m" + header * 200 + b"\xc0" * 1_000_000
    yield "64 MiB of bytes", b"\x81\xa1m\xc6" + (2**26 - 9).to_bytes(4, "big") + bytes(2**26 - 9)
    yield "more than 64 MiB", b"\x81\xa1m\xc6" + (2**26).to_bytes(4, "big") + bytes(2**26)
    group: dict[str, Any] = {"nodes": {}, "cables": [], "metadata": {"x": [[]] * 400_000}}
    for _ in range(30):
        group = {"nodes": {"g": {"kind": "group", "settings": {"patch": group}}}, "cables": []}
    yield "much in deep groups", msgpack.packb({"format": "patchwright", "version": 1, **group})
