"""Address patterns against regular expressions, and against patterns made to cost much."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.spec import Param
from host.remote.addresses import Addresses, Place
from host.remote.patterns import PatternError, matching

WORD = st.text("ab-c", min_size=1, max_size=8)
PIECE = st.sampled_from(["*", "?", "[ab]", "[!ab]", "[a-b]", "[!c-]", "{a,bc}", "{ab,}", "a", "b", "c", "-"])
PATTERN = st.lists(PIECE, min_size=1, max_size=6).map("".join)


def addresses(*found: str) -> Addresses:
    return Addresses(Place(a, a.split("/")[1], Param(a.split("/")[2], 0.0)) for a in dict.fromkeys(found))


def as_regex(pattern: str) -> str:
    held = re.sub(r"\{([^}]*)\}", lambda m: "\0" + m[1].replace(",", "|") + ")", pattern)
    return held.replace("[!", "[^").replace("*", "[^/]*").replace("?", "[^/]").replace("\0", "(?:")


@given(node=PATTERN, param=PATTERN, words=st.lists(st.tuples(WORD, WORD), min_size=1, max_size=12))
def test_it_fits_what_the_regular_expression_fits(node, param, words) -> None:
    there = addresses(*(f"/{a}/{b}" for a, b in words))
    regex = re.compile(f"/{as_regex(node)}/{as_regex(param)}")
    expected = [place.address for place in there if regex.fullmatch(place.address)]
    assert [place.address for place in matching(there, f"/{node}/{param}")] == expected


def test_a_star_stays_within_its_part() -> None:
    there = Addresses(Place(a, "x", Param("y", 0.0)) for a in ("/a/b", "/a/b/c", "/g/a/b"))
    assert [place.address for place in matching(there, "/*/b")] == ["/a/b"]
    assert [place.address for place in matching(there, "/*/*/*")] == ["/a/b/c", "/g/a/b"]


def test_costly_patterns_end() -> None:
    there = addresses(*(f"/{'a' * 60}{i}/level_db" for i in range(200)))
    assert matching(there, "/" + "a*" * 60 + "b/level_db") == []
    assert len(matching(there, "/" + "*a" * 60 + "*/level_db")) == 200
    assert len(matching(there, "/" + "*" * 200 + "/level_db")) == 200


@pytest.mark.parametrize(
    "pattern", ["/[a/x", "/a]/x", "/{a/x", "/a}/x", "/{a,{b}/x", "/" + "{a,b}" * 6, "/" + "*" * 300]
)
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(PatternError):
        matching(addresses("/a/b"), pattern)
