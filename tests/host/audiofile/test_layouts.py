"""Channels by their places: what we write, others read as we meant, and the other way round."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from graph.layouts import LAYOUTS
from host.audiofile import AudioFileError, create_audio, open_audio
from host.audiofile.aiff import labels_of_layout
from host.audiofile.riff import wav_header
from host.audiofile.speakers import labels_of_mask, own_order, vorbis_order, wave_order

from .conftest import level_order, levels, write

# ffmpeg hands out channels in the order of the speaker mask. For our layouts, as indices of our labels.
MASK_ORDER = {
    "mono": [0],
    "stereo": [0, 1],
    "lcr": [0, 1, 2],
    "quad": [0, 1, 2, 3],
    "5.0": [0, 1, 2, 3, 4],
    "5.1": [0, 1, 2, 3, 4, 5],
    "7.1": [0, 1, 2, 3, 6, 7, 4, 5],
    "5.1.4": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    "7.1.4": [0, 1, 2, 3, 6, 7, 4, 5, 8, 9, 10, 11],
}
FFMPEG_NAMES = {
    "mono": "mono",
    "stereo": "stereo",
    "lcr": "3.0",
    "quad": "quad",
    "5.0": "5.0",
    "5.1": "5.1",
    "7.1": "7.1",
}
MASKS = {"lcr": 0x7, "quad": 0x33, "5.0": 0x37, "5.1": 0x3F, "7.1": 0x63F, "5.1.4": 0x2D03F, "7.1.4": 0x2D63F}
FITTING = [
    (layout, suffix)
    for layout in LAYOUTS
    for suffix in ("wav", "aiff", "flac", "ogg")
    if suffix != "flac" or len(LAYOUTS[layout]) <= 8
]


@pytest.mark.parametrize(("layout", "suffix"), FITTING)
def test_every_layout_comes_back_in_our_order(tmp_path: Path, layout: str, suffix: str) -> None:
    labels = LAYOUTS[layout]
    path = write(tmp_path / f"a.{suffix}", levels(len(labels)), labels)
    with open_audio(path) as reader:
        assert (reader.layout, reader.labels, reader.channels, reader.frames) == (layout, labels, len(labels), 4800)
        assert level_order(reader.read(4800)) == list(range(len(labels)))


@pytest.mark.parametrize(("layout", "suffix"), [pair for pair in FITTING if pair[0] in FFMPEG_NAMES])
def test_ffmpeg_hears_every_channel_where_we_put_it(tmp_path: Path, ffmpeg, ffprobe, layout: str, suffix: str) -> None:
    channels = len(LAYOUTS[layout])
    path = write(tmp_path / f"a.{suffix}", levels(channels), LAYOUTS[layout])
    said = ffprobe(path)
    assert said["channels"] == channels
    if channels > 2 or suffix in ("flac", "ogg"):
        assert said["channel_layout"] == FFMPEG_NAMES[layout]
    heard = np.frombuffer(ffmpeg("-i", str(path), "-f", "f32le", "-"), "<f4").reshape(-1, channels)
    assert level_order(heard) == MASK_ORDER[layout]


# Not 7.1 in AIFF and CAF: ffmpeg 5 stores backs before sides there, under a tag (MPEG_7_1_C) that says the reverse.
@pytest.mark.parametrize(
    ("layout", "suffix"),
    [("5.1", suffix) for suffix in ("wav", "aiff", "caf", "flac", "ogg", "opus")]
    + [("7.1", suffix) for suffix in ("wav", "flac", "ogg", "opus")],
)
def test_we_hear_every_channel_where_ffmpeg_puts_it(tmp_path: Path, ffmpeg, layout: str, suffix: str) -> None:
    channels = len(LAYOUTS[layout])
    path = tmp_path / f"a.{suffix}"
    source = ["-f", "f32le", "-ar", "48000", "-ac", str(channels), "-channel_layout", FFMPEG_NAMES[layout], "-i", "-"]
    coding = ["-c:a", "libopus", "-b:a", "512k", "-mapping_family", "1"] if suffix == "opus" else []
    # A tone per channel: Opus takes constants away.
    tones = 0.3 * np.sin(2 * np.pi * 300 * np.outer(np.arange(24000), np.arange(1, channels + 1)) / 48000)
    ffmpeg(
        *source, *coding, str(path), stdin=tones[:, np.argsort(np.argsort(MASK_ORDER[layout]))].astype("<f4").tobytes()
    )
    stored = MASK_ORDER[layout]
    with open_audio(path) as reader:
        assert reader.layout == layout
        spectrum = np.abs(np.fft.rfft(reader.read(24000)[8000:16000], axis=0))
    played = [round(int(peak) * 6 / 300) - 1 for peak in spectrum.argmax(axis=0)]
    lfe = LAYOUTS[layout].index("LFE")
    sent = np.argsort(np.argsort(stored)).tolist()  # sent[i]: the tone on the i-th channel of the mask
    expected = [sent[stored.index(own)] for own in range(channels)]
    assert [tone for index, tone in enumerate(played) if index != lfe] == [
        tone for index, tone in enumerate(expected) if index != lfe
    ]


@pytest.mark.parametrize("layout", list(MASKS))
def test_wav_header_is_extensible_with_the_right_mask(tmp_path: Path, layout: str) -> None:
    data = write(tmp_path / "a.wav", levels(len(LAYOUTS[layout])), LAYOUTS[layout], subtype="PCM_24").read_bytes()
    fmt = data.index(b"fmt ")
    size, tag, channels = struct.unpack_from("<IHH", data, fmt + 4)
    extra, valid_bits, mask = struct.unpack_from("<HHI", data, fmt + 24)
    assert (size, tag, channels, extra, valid_bits) == (40, 0xFFFE, len(LAYOUTS[layout]), 22, 24)
    assert mask == MASKS[layout]
    assert data[fmt + 32 : fmt + 48] == bytes.fromhex("0100000000001000800000aa00389b71")


def test_mono_and_stereo_wavs_are_plain(tmp_path: Path, ffprobe) -> None:
    for channels in (1, 2):
        path = write(tmp_path / "a.wav", levels(channels))
        data = path.read_bytes()
        assert struct.unpack_from("<HH", data, data.index(b"fmt ") + 8) == (3, channels)
        said = ffprobe(path)
        assert (said["codec_name"], said["channels"], said["duration_ts"]) == ("pcm_f32le", channels, 4800)


@pytest.mark.parametrize(
    ("mask", "channels", "labels"),
    [
        (0x60F, 6, ("L", "R", "C", "LFE", "Ls", "Rs")),
        (0x3F, 6, ("L", "R", "C", "LFE", "Ls", "Rs")),
        (0x603, 4, ("L", "R", "Ls", "Rs")),
        (0x63F, 8, ("L", "R", "C", "LFE", "Lrs", "Rrs", "Lss", "Rss")),
        (0xFF, 8, ("L", "R", "C", "LFE", "Ls", "Rs", "Lc", "Rc")),
        (0x107, 4, ("L", "R", "C", "Cs")),
        (0x3F, 2, ("L", "R")),
        (0x3, 4, ("L", "R", "ch3", "ch4")),
        (0x1, 1, ("M",)),
    ],
)
def test_labels_of_masks(mask: int, channels: int, labels: tuple[str, ...]) -> None:
    assert labels_of_mask(mask, channels) == labels


def test_wave_order_of_seven_one_puts_backs_before_sides() -> None:
    assert wave_order(LAYOUTS["7.1"]) == (0x63F, [0, 1, 2, 3, 6, 7, 4, 5])
    assert own_order(labels_of_mask(0x63F, 8)) == (LAYOUTS["7.1"], [0, 1, 2, 3, 6, 7, 4, 5])
    assert wave_order(("one", "two")) == (0, None)
    assert vorbis_order(LAYOUTS["5.1"]) == (None, [0, 2, 1, 4, 5, 3])


def test_labels_that_make_no_layout_keep_their_places(tmp_path: Path, ffprobe) -> None:
    labels = ("L", "R", "C", "Cs")
    for suffix in ("wav", "flac"):
        path = write(tmp_path / f"a.{suffix}", levels(4), labels)
        assert ffprobe(path)["channel_layout"] == "4.0"
        with open_audio(path) as reader:
            assert (reader.labels, reader.layout) == (labels, None)


def test_discrete_channels_are_written_as_such(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", levels(3), ("boom", "lav", "room"))
    data = path.read_bytes()
    assert struct.unpack_from("<I", data, data.index(b"fmt ") + 28) == (0,)
    assert level_order(soundfile.read(path)[0]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("channels", "layout"), [(1, "mono"), (2, "stereo"), (3, "lcr"), (4, "quad"), (5, "5.0"), (6, "5.1")]
)
def test_files_without_a_mask_go_by_their_count(tmp_path: Path, channels: int, layout: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, levels(channels), 48000, subtype="PCM_16")
    with open_audio(path) as reader:
        assert reader.layout == layout
        assert level_order(reader.read(4800)) == list(range(channels))


@pytest.mark.parametrize(("channels", "layout"), [(8, "7.1"), (10, "5.1.4"), (12, "7.1.4")])
def test_wide_files_without_a_mask_are_in_wave_order(tmp_path: Path, channels: int, layout: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, levels(channels)[:, np.argsort(MASK_ORDER[layout])], 48000, subtype="FLOAT")
    sent = levels(channels)[:, np.argsort(MASK_ORDER[layout])]
    with open_audio(path) as reader:
        assert reader.layout == layout
        np.testing.assert_array_equal(reader.read(4800), sent[:, np.argsort(MASK_ORDER[layout])])


def test_seven_channels_without_a_mask_are_nameless(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, levels(7), 48000)
    with open_audio(path) as reader:
        assert reader.labels == ("ch1", "ch2", "ch3", "ch4", "ch5", "ch6", "ch7")
        assert reader.layout is None


def test_apple_layouts_by_tag_bitmap_and_description() -> None:
    assert labels_of_layout(struct.pack(">III", 121 << 16 | 6, 0, 0), 6) == LAYOUTS["5.1"]
    assert labels_of_layout(struct.pack(">III", 124 << 16 | 6, 0, 0), 6) == ("C", "L", "R", "Ls", "Rs", "LFE")
    assert labels_of_layout(struct.pack(">III", 0x10000, 0x3F, 0), 6) == LAYOUTS["5.1"]
    said = [1, 2, 3, 4, 5, 6, 33, 34]  # left, right, centre, LFE, surrounds, rear surrounds
    described = b"".join(struct.pack(">II12x", label, 0) for label in said)
    assert labels_of_layout(struct.pack(">III", 0, 0, 8) + described, 8) == LAYOUTS["7.1"]
    assert labels_of_layout(struct.pack(">III", 121 << 16 | 6, 0, 0), 5) is None
    assert labels_of_layout(b"short", 6) is None


def test_ambisonic_files_do_not_pass_for_quad(tmp_path: Path) -> None:
    header = bytearray(wav_header(rate=48000, channels=4, bits=32, floating=True, mask=0, frames=8))
    guid = header.index(bytes.fromhex("00000000100080"))
    header[guid : guid + 14] = bytes.fromhex("00002107d3118644c8c1ca000000")
    path = tmp_path / "a.wav"
    path.write_bytes(bytes(header) + levels(4, 8).tobytes())
    with open_audio(path) as reader:
        assert (reader.layout, reader.frames) == (None, 8)


@pytest.mark.parametrize(
    ("name", "labels", "said"),
    [
        ("a.flac", LAYOUTS["5.1.4"], "FLAC holds at most 8 channels, this has 10"),
        ("a.wav", ("L", "L"), "channels need labels, each its own"),
        ("a.wav", (), "channels need labels"),
        ("a.wav", tuple(f"c{index}" for index in range(65)), "at most 64 channels"),
    ],
)
def test_channels_that_do_not_fit(tmp_path: Path, name: str, labels: tuple[str, ...], said: str) -> None:
    with pytest.raises(AudioFileError, match=said):
        create_audio(tmp_path / name, 48000, labels)
    assert list(tmp_path.iterdir()) == []
