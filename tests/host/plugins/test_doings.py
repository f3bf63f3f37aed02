"""Whose doing it is that a plugin's state became another."""

from __future__ import annotations

from host.plugins.doings import Doing


def opened(**values: float) -> Doing:
    """A plugin whose window was just opened, looked at."""
    doing = Doing()
    doing.begins(values)
    doing.shows(True)
    assert doing.look(b"first", values, ()) == (False, {}), "what it was before is not known"
    return doing


def test_what_changes_in_a_state_beside_params_is_done_by_hand() -> None:
    doing = opened(gain=0.5)
    assert doing.look(b"first", {"gain": 0.5}, ()) == (False, {})
    assert doing.look(b"a sample", {"gain": 0.5}, ()) == (True, {})
    assert doing.look(b"a sample", {"gain": 0.5}, ()) == (False, {})


def test_params_that_the_patch_moved_explain_a_state() -> None:
    doing = opened(gain=0.5, tone=0.5)
    assert doing.look(b"gain is turned", {"gain": 0.75, "tone": 0.5}, {"gain"}) == (False, {})
    assert doing.look(b"a preset", {"gain": 0.25, "tone": 0.25}, {"gain"}) == (True, {"tone": 0.25})
    assert doing.look(b"turned, and back", {"gain": 0.25, "tone": 0.25}, {"gain"}) == (True, {})


def test_nothing_is_done_by_hand_without_a_window() -> None:
    doing = Doing()
    assert not doing.opened
    doing.begins({"gain": 0.5})
    doing.look(b"a", {"gain": 0.5}, ())
    assert doing.look(b"b", {"gain": 0.25}, ()) == (False, {"gain": 0.25})
    doing.shows(True)
    doing.look(b"b", {"gain": 0.25}, ())
    doing.shows(False)
    assert doing.opened
    assert doing.look(b"c", {"gain": 0.25}, ()) == (True, {}), "it was open since the last look"
    assert doing.look(b"d", {"gain": 0.25}, ()) == (False, {})


def test_after_a_state_that_it_was_given_nothing_is_known() -> None:
    doing = opened(gain=0.5)
    doing.begins({"gain": 0.75})
    assert doing.look(b"given", {"gain": 0.75}, ()) == (False, {})
    assert doing.look(b"turned", {"gain": 1.0}, ()) == (True, {"gain": 1.0})
