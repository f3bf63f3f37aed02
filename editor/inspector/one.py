"""The page of one node: its head, its pictures, its params, its settings, what moves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.controls.hands import hands_of
from editor.dials import UNMOVED, Moved
from editor.faces import spoken
from editor.inspector.band_table import BandTable
from editor.inspector.dynamics_view import DynamicsView
from editor.inspector.exposing_view import ExposingView
from editor.inspector.header import Header
from editor.inspector.learning import LearnSection, can_learn
from editor.inspector.loudness_view import LoudnessView
from editor.inspector.meters import LevelView, NumbersView
from editor.inspector.params import Params
from editor.inspector.response_view import ResponseView
from editor.inspector.scopes import GoniometerView, SpectrumView, WaveView
from editor.inspector.settings import Settings, undeclared, within_folder
from editor.inspector.subject import Subject, spectrum_near, state_of, subject
from editor.inspector.view import View
from editor.link import Readings
from editor.macros.share import HEIGHT as SHARE
from editor.macros.share import Share
from editor.model import Changes
from editor.plugins.section import OWN, PluginSection
from editor.turning import Amount, Turning
from editor.usernodes.listing import OWN as OWN_KIND
from editor.usernodes.section import OwnSection
from graph.document import Cable
from graph.edits import SetSetting
from graph.spec import Param

if TYPE_CHECKING:
    from editor.inspector.panel import Inspector


class NodePage:
    """Everything of one node."""

    def __init__(self, inspector: Inspector, id: str, width: int) -> None:
        self.app, self.inspector, self.width = inspector.app, inspector, width
        self.subject = self._looked_at(id)
        self.views: list[View] = []
        self.table: BandTable | None = None
        self._parent = "inspector:page"
        self.exposing: ExposingView | None = None
        self._undeclared_levels = False
        self._amounts: list[Share] = []
        self._assigning: object = None
        self._stale = False
        """Whether it is to be made anew once nothing is held: what is dragged must stay until then."""
        self._marks = self._controlled()
        self._made_of = _structure(self.subject)
        """What its widgets depend on, as it was when they were made; subjects see what is there now."""
        face, px = self.subject.face, self.app.look.px
        theme = self.app.look.theme
        self.header = Header(self.app, self.subject, self._parent, width)
        self.plugin: PluginSection | OwnSection | None = None
        if face.kind == OWN_KIND:
            self.plugin = OwnSection(self.app, self.subject, self._parent, width, self._pick)
        elif face.varies:
            self.plugin = PluginSection(self.app, self.subject, self._parent, width)
        if face.doc and self.plugin is None:
            text = dpg.add_text(face.doc.replace("``", ""), wrap=width, color=theme.dim, parent=self._parent)
            dpg.bind_item_font(text, fonts.font("small"))
        if face.problem:
            dpg.add_text(face.problem, wrap=width, color=theme.warn, parent=self._parent)
        dpg.add_spacer(height=px(2), parent=self._parent)
        self._pictures()
        if len(self._bands()) > 1:
            self.table = BandTable(self.app, self.subject, self._parent, width)
        shown = self.table.names if self.table else set[str]()
        params = [p for p in face.params if p.name not in shown]
        self.params: Params | None = None
        if params:
            self._title("Params")
            self.params = Params(
                self.app,
                self._parent,
                width,
                params,
                f"inspector:{id}",
                self._turning,
                lambda name: state_of(self.subject, name),
                theme.accent,
                self._group,
                inspector.folded.setdefault(self.subject.address, set()),
            )
        self._modulation()
        self.settings: Settings | None = None
        if face.declared:
            self._title("Settings")
            hidden = OWN if isinstance(self.plugin, PluginSection) else frozenset[str]()
            self.settings = Settings(self.app, self.subject, self._parent, width, self._pick, hidden)
        self.learning: LearnSection | None = None
        if can_learn(self.subject):
            self.learning = LearnSection(self.app, inspector.lessons, self.subject, self._parent, width)
        self._rest()

    def _looked_at(self, id: str) -> Subject:
        """The node as it is now; controls are among what moves its params."""
        found = subject(self.inspector.session, id)
        marks = hands_of(self.app).marks().get(id, {})
        if not marks:
            return found
        moved = dict(found.moved)
        for name, source in marks.items():
            before = moved.get(name, UNMOVED)
            words = "\n".join(filter(None, (before.words, f"Moved by {source}.")))
            moved[name] = replace(before, controlled=True, words=words)
        return replace(found, moved=moved)

    def _controlled(self) -> Mapping[str, str]:
        return hands_of(self.app).marks().get(self.subject.id, {})

    def _turning(self, param: Param) -> Turning:
        plain = self.subject.turning(param)
        return self.plugin.turning(param, plain) if self.plugin else plain

    def _group(self, param: Param) -> str:
        """The part of a plugin that its param belongs to."""
        own = self.subject.face.own.get(param.name)
        return own.group if own is not None else ""

    def _bands(self) -> tuple[object, ...]:
        return next((v.curves.bands for v in self.views if isinstance(v, ResponseView)), ())

    def _title(self, words: str) -> None:
        px = self.app.look.px
        dpg.add_spacer(height=px(6), parent=self._parent)
        item = dpg.add_text(words.upper(), color=self.app.look.theme.dim, parent=self._parent)
        dpg.bind_item_font(item, fonts.font("small"))

    def _pictures(self) -> None:
        offers, make = self.subject.offers, (self.app, self.subject, self._parent, self.width)
        if offers.response:
            self.views.append(ResponseView(*make))
        if offers.transfer or offers.reduction:
            self.views.append(DynamicsView(*make))
        if offers.loudness:
            self.views.append(LoudnessView(*make, self.inspector.histories))
        if offers.spectrum and not offers.response:
            self.views.append(SpectrumView(*make))
        if offers.wave:
            self.views.append(WaveView(*make))
        if offers.points:
            self.views.append(GoniometerView(*make))
        if offers.levels:
            self.views.append(LevelView(*make, offers.levels))
        if offers.numbers:
            self.views.append(NumbersView(*make, offers.numbers))

    def _modulation(self) -> None:
        face, id = self.subject.face, self.subject.id
        names, cables = {p.name: p for p in face.params}, _modulating(self.subject)
        if not cables:
            return
        self._title("Modulation")
        for number, cable in enumerate(cables):
            label = f"{spoken(cable.source)}  ›  {face.label(names[cable.target_port])}"
            amount, tag = Amount(self.subject.session, cable.key), f"inspector:{id}:amount{number}"
            bar = Share(self.app, self._parent, amount, tag, (self.width, self.app.look.px(SHARE)), label)
            bar.moved = Moved(feedback=cable.feedback)
            self._amounts.append(bar)

    def _rest(self) -> None:
        theme, face, session = self.app.look.theme, self.subject.face, self.subject.session
        if face.kind == "group":
            button = dpg.add_button(
                label="Look inside", tag=f"inspector:{face.id}:enter", width=self.width, parent=self._parent,
                callback=lambda: session.enter(face.id),
            )  # fmt: skip
            dpg.bind_item_font(button, fonts.font("medium"))
            self._title("Shown outside")
            self.exposing = ExposingView(self.app, self._parent, (*session.path, face.id), self.width)
        unknown = undeclared(self.subject)
        if unknown:
            self._title("Kept as it is")
            for name, value in unknown.items():
                text = f"{name}: {value!r}"
                dpg.add_text(text[:200], wrap=self.width, color=theme.dim, parent=self._parent)

    def _pick(self, setting: str) -> None:
        """Let a file be chosen for a setting."""
        from editor.files.chooser import Chooser

        session = self.subject.session
        folder = session.patch.folder
        now = str(self.subject.face.settings.get(setting) or "")
        start = (folder / now).parent if folder and now else folder

        def take(path: object) -> None:
            from pathlib import Path

            name = within_folder(folder, Path(str(path)))
            session.do(SetSetting(self.subject.id, setting, name))

        Chooser(self.app, "open", f"A file for {self.subject.face.title}", take, folder=start).open()

    # -- what happens --------------------------------------------------------------------------------------------------

    def sync(self, changes: Changes) -> bool:
        """Follow a change; False where the page must be made anew."""
        id = self.subject.id
        mine = id in changes.nodes
        if changes.words and self._controlled() != self._marks:
            return False
        around = changes.cables or changes.automation or changes.added or changes.removed
        if not mine and not around and not any(node == id for node, _ in changes.params):
            return True
        before, self.subject = self.subject, self._looked_at(id)
        if (mine or around) and _structure(self.subject) != self._made_of:
            holding = self.app.assigning is not None and self.app.pointer.busy
            if not holding or before.face.params != self.subject.face.params:
                return False
            self._stale = True
        for bar in self._amounts:
            bar.show()
        self.header.show(self.subject)
        if self.exposing:
            self.exposing.show()
        if self.plugin:
            self.plugin.show(self.subject)
        for view in self.views:
            view.show(self.subject)
        if self.table:
            self.table.show(self.subject)
        if self.params:
            self.params.show()
        if self.settings:
            self.settings.show(self.subject)
        if self.learning:
            self.learning.show(self.subject)
        return True

    def frame(self, now: float, readings: Readings) -> None:
        """Show what is measured."""
        if self._stale and not self.app.pointer.busy:
            self.inspector.remake()
            return
        if not self.subject.offers.levels and not self._undeclared_levels:
            if "peak" in readings.get(self.subject.address, {}) and not self.subject.face.readings:
                self._undeclared_levels = True
                self.views.append(LevelView(self.app, self.subject, self._parent, self.width, ("peak",)))
        if self.app.assigning is not self._assigning:
            self._assigning = self.app.assigning
            if self.params:
                self.params.show()
            if self.table:
                self.table.show(self.subject)
        for view in self.views:
            view.frame(now, readings)
        if self.plugin:
            self.plugin.frame(now, readings)
        if self.learning:
            self.learning.frame()
        if self.settings:
            self.settings.frame()
        if self.params:
            self.params.frame(live=isinstance(self.plugin, PluginSection))

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """Where something is on the window."""
        found = self.header.locate(what)
        for view in self.views:
            found = found or view.locate(what)
        return found

    def free(self) -> None:
        """It is there no more."""
        self.header.free()
        for view in self.views:
            view.free()
        if self.table:
            self.table.free()
        if self.params:
            self.params.free()
        if self.settings:
            self.settings.free()
        for bar in self._amounts:
            bar.free()


def _modulating(subject: Subject) -> list[Cable]:
    """The cables into params of a node."""
    names = {p.name for p in subject.face.params}
    cables = subject.session.survey.cables_of(subject.id)
    return [c for c in cables if c.target == subject.id and c.target_port in names]


def _structure(subject: Subject) -> object:
    """What a page's widgets depend on."""
    face = subject.face
    cables = [(c.key, c.feedback) for c in _modulating(subject)]
    near = spectrum_near(subject.session, subject.id)
    drawn = {name for name, moved in subject.moved.items() if moved.automated}
    shape = face.kind, face.params, face.inputs, face.outputs, face.problem, tuple(undeclared(subject))
    plugin = face.missing, face.about, face.settings.get("version") if face.varies else ""
    return shape, plugin, subject.offers, cables, near, drawn
