"""OSC address patterns: ``?``, ``*``, ``[a-z]``, ``[!a-z]`` and ``{one,two}``, each within one part of an address.

Matching takes time in proportion to pattern times text, whatever a sender thinks up: there is no search behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from host.remote.addresses import Addresses, Place

LONGEST = 256
"""Characters in a pattern."""
MOST_WAYS = 32
"""Into how many plain ones the braces of one part may unfold."""

_Token = frozenset[str] | Callable[[str], bool] | None
"""Characters that fit, or a question whether one fits; None stands for any run of characters."""


class PatternError(ValueError):
    """A text is no pattern: what is wrong with it, in a few words."""


def is_pattern(address: str) -> bool:
    """Whether an address has characters that make it a pattern."""
    return any(c in "?*[]{}" for c in address)


def matching(addresses: Addresses, pattern: str) -> list[Place]:
    """The params whose addresses fit a pattern. Raises PatternError."""
    if len(pattern) > LONGEST:
        raise PatternError(f"expected a pattern of at most {LONGEST} characters")
    parts = [_compile(part) for part in pattern.removeprefix("/").split("/")]
    known: list[dict[str, bool]] = [{} for _ in parts]
    found: list[Place] = []
    for place in addresses:
        words = place.address[1:].split("/")
        if len(words) == len(parts) and all(
            _fits_once(ways, word, seen) for ways, word, seen in zip(parts, words, known, strict=True)
        ):
            found.append(place)
    return found


def _fits_once(ways: tuple[tuple[_Token, ...], ...], word: str, seen: dict[str, bool]) -> bool:
    """Whether a word fits, asked once for each word that there is."""
    if word not in seen:
        seen[word] = any(_fits(tokens, word) for tokens in ways)
    return seen[word]


@lru_cache(maxsize=256)
def _compile(part: str) -> tuple[tuple[_Token, ...], ...]:
    return tuple(tuple(_tokens(way)) for way in _ways(part))


def _ways(part: str) -> list[str]:
    """A part with its braces unfolded."""
    ways, rest = [""], part
    while True:
        before, brace, rest = rest.partition("{")
        if "}" in before:
            raise PatternError("a brace is closed that was not opened")
        ways = [way + before for way in ways]
        if not brace:
            return ways
        inside, brace, rest = rest.partition("}")
        if not brace or "{" in inside:
            raise PatternError("a brace is not closed")
        words = inside.split(",")
        if len(ways) * len(words) > MOST_WAYS:
            raise PatternError(f"its braces unfold into more than {MOST_WAYS}")
        ways = [way + word for way in ways for word in words]


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    i = 0
    while i < len(text):
        match text[i]:
            case "*":
                if not tokens or tokens[-1] is not None:
                    tokens.append(None)
            case "?":
                tokens.append(lambda c: True)
            case "[":
                end = text.find("]", i + 1)
                if end < 0:
                    raise PatternError("a bracket is not closed")
                tokens.append(_class(text[i + 1 : end]))
                i = end
            case "]":
                raise PatternError("a bracket is closed that was not opened")
            case c:
                tokens.append(frozenset(c))
        i += 1
    return tokens


def _class(inside: str) -> Callable[[str], bool]:
    """Whether a character is one of those in brackets, or, after a ``!``, none of them."""
    negated = inside.startswith("!")
    inside = inside[1:] if negated else inside
    characters: set[str] = set()
    i = 0
    while i < len(inside):
        if i + 2 < len(inside) and inside[i + 1] == "-":
            characters.update(chr(c) for c in range(ord(inside[i]), min(ord(inside[i + 2]), 126) + 1))
            i += 3
        else:
            characters.add(inside[i])
            i += 1
    return lambda c: (c in characters) != negated


def _fits(tokens: tuple[_Token, ...], word: str) -> bool:
    """Whether a word fits. Only the last star is ever tried again, which is enough, and keeps the work bounded."""
    at = token = 0
    star, star_at = -1, 0
    while at < len(word):
        wanted = tokens[token] if token < len(tokens) else frozenset[str]()
        if wanted is None:
            star, star_at = token, at
            token += 1
        elif wanted(word[at]) if callable(wanted) else word[at] in wanted:
            at, token = at + 1, token + 1
        elif star >= 0:
            star_at += 1
            at, token = star_at, star + 1
        else:
            return False
    return all(rest is None for rest in tokens[token:])
