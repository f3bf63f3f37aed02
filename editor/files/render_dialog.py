"""The render dialog: what to write, how far it is, and what came of it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.files.chooser import Chooser
from editor.files.dialog import Ask, Dialog, Tag
from editor.files.folders import SHIPPED, home
from editor.files.listing import AUDIO
from editor.files.rendering import FORMATS, INPUT, OUTPUT, Render, Wish, ends, sounds_end, targets
from graph.errors import PatchError

if TYPE_CHECKING:
    from editor.app import App
    from editor.files.panel import Files

LENGTHS = ("Until it is silent", "With a tail of", "Exactly")
RATES = (0, 44100, 48000, 88200, 96000, 192000)
DEFAULT_LENGTH_S = 60.0


class RenderDialog(Dialog):
    """Asks what to render, renders in a process of its own, and shows what it measures."""

    id = "render"
    title = "Render"
    size = (640, 0)

    def __init__(self, app: App, files: Files) -> None:
        super().__init__(app)
        self.files = files
        session = app.session
        self.outputs = ends(session.patch, OUTPUT)
        self.inputs = ends(session.patch, INPUT)
        self.wanted = set(self.outputs)
        self.fed: dict[str, str] = {}
        own = session.file.resolve().parent if session.file else session.patch.folder
        self.folder = files.settings.folder("render_folder") or (own if own and own != SHIPPED else home())
        from editor.files.panel import file_name

        self.name = session.file.stem if session.file else file_name(session.patch.name)
        self.render: Render | None = None
        self._shown: object = None

    # -- what it asks --------------------------------------------------------------------------------------------------

    def body(self, parent: Tag) -> None:
        px = self.app.look.px
        if not self.outputs:
            self.words("This patch has no output: add an Audio out first.", parent)
            dpg.add_spacer(height=px(10), parent=parent)
            self.buttons(("cancel", "Close", self.cancel, ""), parent=parent)
            return
        with dpg.group(parent=parent, tag=self.tag("form")):
            self._form()
        dpg.add_spacer(height=px(6), parent=parent)
        dpg.add_text("", tag=self.tag("problem"), color=self.app.look.theme.warn, parent=parent, wrap=px(600))
        dpg.add_progress_bar(tag=self.tag("bar"), parent=parent, width=-1, height=px(22), show=False)
        dpg.add_group(tag=self.tag("result"), parent=parent)
        dpg.add_spacer(height=px(8), parent=parent)
        self.buttons(
            ("cancel", "Close", self.cancel, ""),
            ("accept", "Render", self.accept, "theme:accent"),
            parent=parent,
        )
        self._shown = None

    def _form(self) -> None:
        px, session = self.app.look.px, self.app.session
        if len(self.outputs) > 1:
            with self._line("Outputs"), dpg.group():
                for id in self.outputs:
                    entry = session.patch.nodes().get(id)
                    dpg.add_checkbox(
                        label=f"{entry.title}   ({id})" if entry is not None and entry.title else id,
                        default_value=id in self.wanted,
                        tag=self.tag(f"output:{id}"),
                        user_data=id,
                        callback=lambda _, on, output: self._want(output, on),
                    )
        with self._line("Name"):
            dpg.add_input_text(tag=self.tag("name"), default_value=self.name, width=-1)
        with self._line("Folder"):
            dpg.add_input_text(tag=self.tag("folder"), default_value=str(self.folder), width=px(390))
            dpg.add_button(label="Choose…", tag=self.tag("choose"), callback=self._choose_folder)
        with self._line("Format"):
            labels = [f.label for f in FORMATS]
            dpg.add_combo(
                labels,
                default_value=labels[0],
                tag=self.tag("format"),
                width=px(240),
                callback=lambda: self._formatted(),
            )
            dpg.add_checkbox(label="Dither", tag=self.tag("dither"), enabled=False)
        with self._line("Sample rate"):
            rate = session.patch.sample_rate
            words = ["As the patch" + (f" ({rate} Hz)" if rate else ""), *(f"{r} Hz" for r in RATES[1:])]
            dpg.add_combo(words, default_value=words[0], tag=self.tag("rate"), width=px(240))
        with self._line("From"):
            dpg.add_input_text(tag=self.tag("start"), default_value="0", width=px(90))
            dpg.add_text("seconds, or minutes:seconds", color=self.app.look.theme.dim)
            if session.patch.transport.loop is not None:
                dpg.add_button(label="The loop", tag=self.tag("loop"), callback=lambda: self._take_loop())
        with self._line("Length"):
            finite = bool(self.inputs) or sounds_end(session.patch, session.kinds)
            dpg.add_combo(
                LENGTHS,
                default_value=LENGTHS[0 if finite else 2],
                tag=self.tag("length"),
                width=px(240),
                callback=lambda: self._lengthened(),
            )
            dpg.add_input_text(
                tag=self.tag("seconds"),
                default_value="2" if finite else f"{DEFAULT_LENGTH_S:g}",
                width=px(90),
                show=not finite,
            )
            dpg.add_text("seconds", tag=self.tag("unit"), show=not finite, color=self.app.look.theme.dim)
        if session.patch.snapshots:
            with self._line("Snapshot"):
                names = ["As it is now", *sorted(session.patch.snapshots)]
                dpg.add_combo(names, default_value=names[0], tag=self.tag("snapshot"), width=px(240))
        for id in self.inputs:
            with self._line(f"Into {id}"):
                dpg.add_input_text(
                    tag=self.tag(f"input:{id}"), hint="silence", default_value=self.fed.get(id, ""), width=px(390)
                )
                dpg.add_button(label="Choose…", user_data=id, callback=lambda _, __, input_: self._choose_input(input_))
        with self._line(""):
            dpg.add_checkbox(label="Render without what is missing", tag=self.tag("missing"))

    def _want(self, output: str, on: bool) -> None:
        self.wanted = self.wanted | {output} if on else self.wanted - {output}

    def _line(self, label: str) -> AbstractContextManager[None]:
        return self.line(label, self.tag("form"))

    def _formatted(self) -> None:
        dpg.configure_item(self.tag("dither"), enabled=self._format().whole)
        if not self._format().whole:
            dpg.set_value(self.tag("dither"), False)

    def _format(self):
        chosen = dpg.get_value(self.tag("format"))
        return next(f for f in FORMATS if f.label == chosen)

    def _lengthened(self) -> None:
        for name in ("seconds", "unit"):
            dpg.configure_item(self.tag(name), show=dpg.get_value(self.tag("length")) != LENGTHS[0])

    def _take_loop(self) -> None:
        """Render what is played over and over."""
        loop = self.app.session.patch.transport.loop
        if loop is not None:
            dpg.set_value(self.tag("start"), f"{loop[0]:.10g}")
            dpg.set_value(self.tag("length"), LENGTHS[2])
            dpg.set_value(self.tag("seconds"), f"{loop[1] - loop[0]:.10g}")
            self._lengthened()

    def _choose_folder(self) -> None:
        Chooser(
            self.app,
            "folder",
            "Render to",
            lambda path: dpg.set_value(self.tag("folder"), str(path)),
            folder=Path(dpg.get_value(self.tag("folder"))),
        ).open()

    def _choose_input(self, id: str) -> None:
        Chooser(
            self.app,
            "open",
            f"A file for {id}",
            lambda path: dpg.set_value(self.tag(f"input:{id}"), str(path)),
            suffixes=AUDIO,
        ).open()

    @property
    def busy(self) -> str:
        return "A render is running." if self.render is not None and not self.render.over else ""

    # -- what it does --------------------------------------------------------------------------------------------------

    def accept(self) -> None:
        if not self.outputs or (self.render is not None and not self.render.over):
            return
        try:
            wish = self.wish()
        except ValueError as error:
            dpg.set_value(self.tag("problem"), str(error))
            return
        there = [Path(file).name for file in wish.outputs.values() if Path(file).exists()]
        if there:
            answers = [("replace", "Replace", lambda: self._begin(wish), "theme:danger")]
            words = f"{', '.join(there[:4])} {'is' if len(there) == 1 else 'are'} in this folder already."
            Ask(self.app, "Replace what is there?", words, answers, id="replace").open()
        else:
            self._begin(wish)

    def wish(self) -> Wish:
        """What the form says. Raises ValueError with what is wrong with it."""
        folder, name = Path(dpg.get_value(self.tag("folder")).strip()), dpg.get_value(self.tag("name")).strip()
        chosen = [id for id in self.outputs if id in self.wanted]
        if not chosen:
            raise ValueError("Choose an output.")
        if not name or any(c in name for c in "/\\\0"):
            raise ValueError("Give the file a name without slashes.")
        if not folder.is_dir():
            raise ValueError(f"There is no folder {folder}.")
        format_ = self._format()
        length = LENGTHS.index(dpg.get_value(self.tag("length")))
        seconds = _seconds(dpg.get_value(self.tag("seconds"))) if length else None
        words = dpg.get_value(self.tag("rate"))
        snapshot = dpg.get_value(self.tag("snapshot")) if self.app.session.patch.snapshots else None
        inputs = {id: dpg.get_value(self.tag(f"input:{id}")).strip() for id in self.inputs}
        return Wish(
            targets(chosen, folder, name, format_.suffix),
            {id: file for id, file in inputs.items() if file},
            format_.subtype,
            bool(dpg.get_value(self.tag("dither"))),
            int(words.split()[0]) if words[0].isdigit() else None,
            _seconds(dpg.get_value(self.tag("start"))),
            seconds if length == 2 else None,
            seconds if length == 1 else None,
            snapshot if snapshot in self.app.session.patch.snapshots else None,
            bool(dpg.get_value(self.tag("missing"))),
        )

    def _begin(self, wish: Wish) -> None:
        dpg.set_value(self.tag("problem"), "")
        dpg.delete_item(self.tag("result"), children_only=True)
        try:
            self.render = Render(self.app.session.patch, wish)
        except (PatchError, OSError) as error:
            dpg.set_value(self.tag("problem"), f"It cannot be rendered: {error}")
            return
        self.files.choose_settings(render_folder=str(Path(next(iter(wish.outputs.values()))).parent))
        dpg.configure_item(self.tag("bar"), show=True, overlay="")
        dpg.set_item_label(self.tag("cancel"), "Cancel")
        dpg.configure_item(self.tag("accept"), enabled=False, label="Rendering…")
        self._shown = None

    def frame(self, now: float) -> None:
        render = self.render
        if render is None:
            return
        render.step()
        key = (render, render.phase, round(render.share, 3))
        if key == self._shown:
            return
        self._shown = key
        self.app.touch()
        words = {"running": "Rendering", "measuring": "Measuring loudness"}.get(render.phase, "")
        dpg.configure_item(self.tag("bar"), show=not render.over, overlay=f"{words}  {render.share:.0%}")
        dpg.set_value(self.tag("bar"), render.share)
        if render.over:
            dpg.set_item_label(self.tag("cancel"), "Close")
            dpg.configure_item(self.tag("accept"), enabled=True, label="Render")
            self._finished(render)

    def _finished(self, render: Render) -> None:
        self.render = None
        if render.phase == "stopped":
            dpg.set_value(self.tag("problem"), "Stopped. Nothing was written.")
            return
        if render.error:
            dpg.set_value(self.tag("problem"), render.error)
        if render.phase != "done":
            return
        result, px, theme = render.result, self.app.look.px, self.app.look.theme
        parent = self.tag("result")
        words = f"{result['seconds']:.2f} s at {result['rate']} Hz, {result['speed']:.0f} times faster than it sounds"
        head = dpg.add_text(words, color=theme.good, parent=parent)
        dpg.bind_item_font(head, fonts.font("medium"))
        with dpg.table(parent=parent, policy=dpg.mvTable_SizingStretchProp, tag=self.tag("table")):
            for title in ("File", "Integrated", "Range", "True peak", "Peak", "Clipped"):
                dpg.add_table_column(label=title)
            by_file = {m["file"]: m for m in render.measured}
            for id, file in result["files"].items():
                m = by_file.get(file, {})
                with dpg.table_row():
                    dpg.add_text(Path(file).name)
                    for key, unit in (("integrated_lufs", "LUFS"), ("range_lu", "LU"), ("true_peak_dbtp", "dBTP")):
                        dpg.add_text(_number(m.get(key), unit), tag=self.tag(f"{key}:{id}"))
                    dpg.add_text(_number(m.get("peak_dbfs"), "dBFS"))
                    count = result["clipped"].get(id, 0)
                    dpg.add_text(str(count), color=theme.bad if count else theme.dim)
        for note in result["notes"][:6]:
            dpg.add_text(note, color=theme.warn, wrap=px(600), parent=parent)
        self.app.notices.say("good", f"Rendered: {', '.join(Path(f).name for f in result['files'].values())}")

    def cancel(self) -> None:
        if self.render is not None and not self.render.over and not self.render.stopping:
            self.render.stop()
        else:
            self.close()

    def close(self) -> None:
        if self.render is not None:
            self.render.close()
            self.render = None
        super().close()


def _seconds(text: str) -> float:
    """A time that was typed: seconds, or minutes:seconds. Raises ValueError."""
    parts = text.strip().replace(",", ".").split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3 or any(not 0 <= n < 1e7 for n in numbers):
        raise ValueError(f"A time must be seconds, or minutes:seconds; {text[:20]!r} is neither.")
    whole = 0.0
    for number in numbers:
        whole = whole * 60 + number
    return whole


def _number(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.1f} {unit}"
