"""The contract that every kind keeps (see ``host/contract``), tried on all that are registered; and kinds that break it
on purpose, each of which must be caught, and by the right check.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import lru_cache
from pathlib import Path

import pytest

from host import contract
from host.native import build
from host.native.abi import signature
from nodes import kinds

SABOTAGE = Path(__file__).with_name("sabotage.py")


def _load():
    spec = importlib.util.spec_from_file_location("patchwright_sabotage", SABOTAGE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sabotage = _load()


@lru_cache(maxsize=1)
def subject(kind):
    """The checks of a kind follow each other and share what they find; what the kind before made is let go."""
    return contract.Subject(kind)


@pytest.mark.parametrize("check", contract.CHECKS)
@pytest.mark.parametrize("kind", kinds())
def test_contract(kind, check):
    found = contract.found_by(subject(kinds()[kind]), check)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("kind", sabotage.KINDS, ids=lambda kind: kind.kind)
def test_a_broken_promise_is_found_by_its_own_check_and_by_no_other(kind):
    tried = contract.Subject(kind)
    found = {check for check in contract.CHECKS if contract.found_by(tried, check)}
    assert found == ({kind.caught_by} if kind.caught_by else set())


def test_the_look_at_the_object_code_would_see_an_allocation(monkeypatch):
    """Were it not refused while it is built."""
    monkeypatch.setattr(build, "_refuse_foreign_calls", lambda *_: None)
    tried = contract.Subject(sabotage.Greedy)
    config = tried.compiled(tried.variants[0]).config
    kernel = sabotage.Greedy.process
    code = build.build_kernel(kernel, signature(sabotage.Greedy, kernel.arguments, config), "greedy")
    assert list(contract.named(code))
