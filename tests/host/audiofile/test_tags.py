"""Tags: what others read of ours, what we read of theirs, and what is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile

from host.audiofile import KNOWN_TAGS, AudioFileError, create_audio, open_audio, read_tags
from host.audiofile.bext import axml_chunk, bext_chunk, isrc_of_axml, read_bext
from host.audiofile.chunks import chunk_bytes
from host.audiofile.comments import read_comments
from host.audiofile.riff import wav_header
from host.audiofile.tags import tags_of_info

from .conftest import noise, write
from .test_writer import riff_chunks

EVERY_TAG = {
    "title": "Über den Wölfen",
    "artist": "An Artist",
    "album": "An Album",
    "album_artist": "Everybody",
    "composer": "Somebody",
    "track": "3/9",
    "disc": "1",
    "genre": "Ambient",
    "date": "2024-05-31",
    "comment": "First print",
    "copyright": "CC0",
    "isrc": "USRC17607839",
    "publisher": "A House",
    "engineer": "An Engineer",
    "encoder": "Patchwright",
    "language": "de",
    "keywords": "wind; water",
    "subject": "Weather",
    "description": "Dialogue stem, reel 2",
    "originator": "Stage A",
    "originator_reference": "DESTAGEA0001",
    "origination_date": "2024-06-01",
    "origination_time": "10:11:12",
    "time_reference": "172800480",
    "umid": "06" * 64,
    "coding_history": "A=PCM,F=48000,W=24,M=stereo,T=Patchwright\nA=ANALOGUE,T=tape",
}


def test_the_list_above_is_complete() -> None:
    assert set(EVERY_TAG) == set(KNOWN_TAGS)


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "ogg"])
def test_every_tag_comes_back_from_every_format(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}", noise(500), tags=EVERY_TAG)
    assert read_tags(path) == EVERY_TAG
    with open_audio(path) as reader:
        assert np.abs(reader.read(500) - noise(500)).max() < 0.2
    assert read_tags(write(tmp_path / f"b.{suffix}", noise(500))) == {}


def test_ffprobe_reads_a_wavs_tags(tmp_path: Path, ffprobe) -> None:
    path = write(tmp_path / "a.wav", noise(50), tags={name: EVERY_TAG[name] for name in KNOWN_TAGS if name != "umid"})
    said = ffprobe(path)["tags"]
    for name in ("title", "artist", "album", "track", "genre", "copyright", "time_reference", "originator_reference"):
        assert said[name] == EVERY_TAG[name]
    assert said["comment"] in (EVERY_TAG["comment"], EVERY_TAG["description"])
    assert said["date"] in (EVERY_TAG["date"], EVERY_TAG["origination_date"])
    assert said["encoded_by"] == EVERY_TAG["originator"]
    assert said["coding_history"].split() == EVERY_TAG["coding_history"].split()
    assert EVERY_TAG["isrc"] in (said.get("ISRC"), said.get("TSRC"))


@pytest.mark.parametrize("suffix", ["aiff", "flac", "ogg"])
def test_ffprobe_reads_the_others(tmp_path: Path, ffprobe, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}", noise(50), tags=EVERY_TAG)
    said = {name.lower(): value for name, value in ffprobe(path)["tags"].items()}
    for name in (
        "title",
        "artist",
        "album",
        "album_artist",
        "track",
        "disc",
        "genre",
        "date",
        "copyright",
        "time_reference",
    ):
        assert said[name] == EVERY_TAG[name]
    assert EVERY_TAG["isrc"] in (said.get("isrc"), said.get("tsrc"))


def test_mutagen_finds_the_isrc_in_every_format(tmp_path: Path) -> None:
    for suffix, key in (("wav", "TSRC"), ("aiff", "TSRC"), ("flac", "isrc"), ("ogg", "isrc")):
        path = write(tmp_path / f"a.{suffix}", noise(50), tags={"isrc": "us-rc1-76-07839", "title": "T"})
        assert list(mutagen.File(path)[key]) == ["USRC17607839"]  # pyright: ignore[reportPrivateImportUsage]


def test_soundfile_reads_the_plain_ones(tmp_path: Path) -> None:
    for suffix in ("wav", "flac", "ogg"):
        with soundfile.SoundFile(write(tmp_path / f"a.{suffix}", noise(50), tags=EVERY_TAG)) as file:
            assert (file.title, file.artist, file.album) == tuple(
                EVERY_TAG[name] for name in ("title", "artist", "album")
            )


def test_bext_as_ebu_tech_3285_lays_it_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(50), tags=EVERY_TAG)
    bext = riff_chunks(path.read_bytes())[b"bext"]
    assert bext[:21] == b"Dialogue stem, reel 2"
    assert bext[256:263] == b"Stage A"
    assert bext[288:300] == b"DESTAGEA0001"
    assert bext[320:338] == b"2024-06-0110:11:12"
    low, high, version = struct.unpack_from("<IIH", bext, 338)
    assert (high << 32 | low, version) == (172800480, 1)
    assert bext[348:412] == b"\x06" * 64
    assert bext[412:602] == bytes(190)
    assert bext[602:] == b"A=PCM,F=48000,W=24,M=stereo,T=Patchwright\r\nA=ANALOGUE,T=tape\r\n"


@pytest.mark.parametrize("samples", [0, 1, 2**32 + 5, 2**64 - 1])
def test_time_reference_is_64_bits_wide(tmp_path: Path, samples: int, ffprobe) -> None:
    for suffix in ("wav", "aiff", "flac", "ogg"):
        path = write(tmp_path / f"a.{suffix}", noise(50), time_reference=samples)
        assert read_tags(path)["time_reference"] == str(samples)
    if samples in (1, 2**32 + 5):  # ffmpeg's is signed, and leaves zero out
        assert ffprobe(tmp_path / "a.wav")["tags"]["time_reference"] == str(samples)


def test_an_rf64_keeps_its_tags(tmp_path: Path, ffprobe) -> None:
    path = write(tmp_path / "a.wav", noise(5000), tags=EVERY_TAG, riff_limit=1000)
    assert path.read_bytes()[:4] == b"RF64"
    assert read_tags(path) == EVERY_TAG
    assert ffprobe(path)["tags"]["time_reference"] == EVERY_TAG["time_reference"]


def test_names_in_any_case_and_names_of_ones_own(tmp_path: Path) -> None:
    assert read_tags(write(tmp_path / "a.wav", noise(5), tags={"Title": "x", "ARTIST": "y"})) == {
        "title": "x",
        "artist": "y",
    }
    for suffix in ("flac", "ogg"):
        path = write(tmp_path / f"a.{suffix}", noise(50), tags={"Reel": "7", "scene": "12A"})
        assert read_tags(path) == {"reel": "7", "scene": "12A"}


def test_dates_in_words_survive(tmp_path: Path) -> None:
    for suffix in ("wav", "aiff", "flac"):
        assert read_tags(write(tmp_path / f"a.{suffix}", noise(5), tags={"date": "Spring 1987"})) == {
            "date": "Spring 1987"
        }


def test_a_flacs_tags_do_not_move_its_sound(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.flac", noise(5000))
    tagged = write(tmp_path / "b.flac", noise(5000), tags=EVERY_TAG)
    assert plain.stat().st_size == tagged.stat().st_size


@pytest.mark.parametrize(
    ("suffix", "tags", "said"),
    [
        ("wav", {"reel": "7"}, r"WAV has no place for a tag 'reel'; there are title, artist, .*coding_history"),
        ("aiff", {"reel": "7"}, "AIFF has no place for a tag 'reel'"),
        ("flac", {"a=b": "7"}, "'a=b' cannot name a tag"),
        ("ogg", {"": "7"}, "'' cannot name a tag"),
        ("flac", {"waveformatextensible_channel_mask": "0x3"}, "cannot name a tag"),
        (
            "wav",
            {"isrc": "hello"},
            "'hello' is not an ISRC; expected two letters, three letters or digits, seven digits",
        ),
        ("wav", {"time_reference": "-1"}, "is not a number of samples since midnight"),
        ("wav", {"time_reference": str(2**64)}, "is not a number of samples since midnight"),
        ("wav", {"time_reference": "٣"}, "is not a number of samples since midnight"),
        ("wav", {"originator": "x" * 33}, "originator is 33 bytes long; it holds at most 32"),
        ("wav", {"description": "ü" * 129}, "description is 258 bytes long; it holds at most 256"),
        ("wav", {"origination_date": "31.5.2024"}, "expected like 2024-05-31"),
        ("wav", {"origination_time": "noon"}, "expected like 23:59:59"),
        ("wav", {"umid": "xyz"}, "32 or 64 bytes in hexadecimal"),
        ("wav", {"title": "a\0b"}, "no NUL"),
        ("wav", {"title": "x" * 70_000}, "at most 65536 characters"),
        ("wav", {"title": "\udc80"}, "not valid Unicode"),
        ("wav", {"title": "a", "TITLE": "b"}, "'title' is given twice"),
    ],
)
def test_tags_that_do_not_fit(tmp_path: Path, suffix: str, tags: dict[str, str], said: str) -> None:
    with pytest.raises(AudioFileError, match=said):
        create_audio(tmp_path / f"a.{suffix}", 48000, ("L", "R"), tags=tags)
    assert list(tmp_path.iterdir()) == []


def test_two_different_time_references_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with pytest.raises(AudioFileError, match=r"the tag time_reference \(5\) is not the file's own \(6\)"):
        create_audio(path, 48000, ("L", "R"), tags={"time_reference": "5"}, time_reference=6)
    assert read_tags(write(path, noise(5), tags={"time_reference": "5"}, time_reference=5)) == {"time_reference": "5"}


def test_we_read_what_ffmpeg_writes(tmp_path: Path, ffmpeg) -> None:
    tags = {"title": "Tïtle", "artist": "Artist", "album": "Album", "track": "4", "date": "1999", "comment": "Hello"}
    arguments = [part for name, value in tags.items() for part in ("-metadata", f"{name}={value}")]
    source = ["-f", "lavfi", "-i", "sine=duration=0.1"]
    for suffix in ("wav", "flac", "ogg"):
        ffmpeg(*source, *arguments, str(tmp_path / f"a.{suffix}"))
        expected = dict(tags)
        if suffix != "wav":  # where ffmpeg calls it so
            expected["description"] = expected.pop("comment")
        assert expected.items() <= read_tags(tmp_path / f"a.{suffix}").items()
    ffmpeg(*source, *arguments, "-write_id3v2", "1", str(tmp_path / "a.aiff"))
    assert tags.items() <= read_tags(tmp_path / "a.aiff").items()
    bext = ("-metadata", "originator=Me", "-metadata", "time_reference=4294967301", "-write_bext", "1")
    ffmpeg(*source, *bext, str(tmp_path / "b.wav"))
    assert read_tags(tmp_path / "b.wav")["time_reference"] == "4294967301"
    assert read_tags(tmp_path / "b.wav")["originator"] == "Me"


def test_info_isrc_is_a_source_unless_it_is_an_isrc() -> None:
    def info(value: bytes) -> dict[str, str]:
        return tags_of_info(b"INFO" + chunk_bytes(b"ISRC", value + b"\0", "little"))

    assert info(b"USRC17607839") == {"isrc": "USRC17607839"}
    assert info(b"Tape 7") == {"source": "Tape 7"}
    assert tags_of_info(b"adtl") == {}


def test_isrc_in_axml_alone_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    axml = [(b"axml", axml_chunk("USRC17607839"))]
    path.write_bytes(wav_header(rate=48000, channels=1, bits=16, floating=False, mask=None, frames=0, metadata=axml))
    assert read_tags(path) == {"isrc": "USRC17607839"}
    assert isrc_of_axml(b"<ebuCoreMain/>") is None


def test_tags_after_the_sound_are_found(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(9, 1), subtype="PCM_24")
    path.write_bytes(path.read_bytes() + chunk_bytes(b"bext", bext_chunk({"time_reference": "77"}), "little"))
    assert read_tags(path) == {"time_reference": "77"}


def test_bext_cut_short_or_in_an_old_code_page() -> None:
    assert read_bext(b"x" * 600) == {}
    assert read_bext(b"caf\xe9".ljust(602, b"\0"))["description"] == "café"


def test_comments_of_large_ogg_pages(tmp_path: Path) -> None:
    long = {"comment": "x" * 60_000, "lyrics": "y" * 60_000, "title": "after"}
    path = write(tmp_path / "a.ogg", noise(5000), tags=long)
    assert read_tags(path) == long
    with path.open("rb") as file:
        assert set(read_comments(file)) >= {"COMMENT", "LYRICS", "TITLE"}


def test_tags_of_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no such file"):
        read_tags(tmp_path / "a.wav")
    (tmp_path / "a.txt").write_text("words")
    assert read_tags(tmp_path / "a.txt") == {}
