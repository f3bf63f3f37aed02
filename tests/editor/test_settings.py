"""Settings are kept, and a file that is not as it must be is set aside with one clear line."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.settings import LARGEST_FILE, Settings, SettingsError, load, read, save
from editor.theme import SCALES, THEMES

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
all_settings = st.builds(
    Settings,
    device=texts,
    in_device=texts,
    rate=st.sampled_from([0, 8000, 44100, 384_000]),
    block=st.integers(0, 8192),
    theme=st.sampled_from(sorted(THEMES)),
    scale=st.floats(SCALES[0], SCALES[-1]),
    safe_pins=st.booleans(),
    system_dialogs=st.booleans(),
    patch_folder=texts,
    render_folder=texts,
    toured=st.booleans(),
    disk_cache_mb=st.none() | st.integers(0, 2**24),
)


@given(all_settings)
def test_what_is_kept_comes_back(settings: Settings) -> None:
    data = json.dumps({"version": 1, **asdict(settings)}).encode()
    assert read(data) == settings


def test_they_come_back_from_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "new" / "editor.json"
    assert load(file) == (Settings(), "")
    settings = replace(Settings(), device="Öhr", theme="light", scale=1.5, toured=True)
    save(settings, file)
    assert load(file) == (settings, "")
    assert settings.look().theme.name == "light"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 50_000, "JSON"),
        (b"[]", "object"),
        (b"{}", "version"),
        (b'{"version": true, "theme": "dark"}', "version"),
        (b'{"version": 2}', "version"),
        (b'{"version": 1, "theme": "../../x"}', "theme"),
        (b'{"version": 1, "theme": ["dark"]}', "theme"),
        (b'{"version": 1, "scale": NaN}', "scale"),
        (b'{"version": 1, "scale": 1e9}', "scale"),
        (b'{"version": 1, "scale": true}', "scale"),
        (b'{"version": 1, "block": -1}', "block"),
        (b'{"version": 1, "block": 64.5}', "block"),
        (b'{"version": 1, "rate": 12}', "rate"),
        (b'{"version": 1, "disk_cache_mb": -1}', "disk_cache_mb"),
        (b'{"version": 1, "disk_cache_mb": false}', "disk_cache_mb"),
        (b'{"version": 1, "device": "a\\u0000b"}', "device"),
        (b'{"version": 1, "device": {"$": 1}}', "device"),
        (b'{"version": 1, "toured": 1}', "toured"),
        (b" " * (LARGEST_FILE + 1), "larger"),
    ],
)
def test_a_hostile_file_is_set_aside_and_said(data: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "editor.json"
    file.write_bytes(data)
    settings, problem = load(file)
    assert settings == Settings()
    assert str(file) in problem
    assert said in problem
    assert file.read_bytes() == data
    save(replace(settings, toured=True), file)
    assert load(file) == (replace(settings, toured=True), "")
    assert (tmp_path / "editor.json.refused").read_bytes() == data


@given(st.recursive(st.none() | st.floats(max_value=-1), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_no_other_json_is_taken(value: Any) -> None:
    fields = dict.fromkeys(asdict(Settings()), value) | {"version": 1}
    with pytest.raises(SettingsError, match=r"^\w+: expected .{1,80}, found"):
        read(json.dumps(fields).encode())


def test_fields_of_a_later_program_are_passed_over() -> None:
    assert read(b'{"version": 1, "brand_new": [1], "block": 64}') == replace(Settings(), block=64)
