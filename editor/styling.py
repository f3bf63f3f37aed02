"""A theme as Dear PyGui wants it: the colours and spacings of every widget, and the variants that panels bind."""

from __future__ import annotations

from collections.abc import Mapping

import dearpygui.dearpygui as dpg

from editor.theme import Colour, Look, alpha, mix


def style(look: Look) -> None:
    """Make the themes of a look, in place of those there were, and bind the one of everything.

    Panels may bind ``theme:flat`` (buttons without a background), ``theme:strip`` (a child window without padding),
    ``theme:bar`` (a low one, padded), ``theme:accent`` and ``theme:danger`` (buttons that stand out), ``theme:popup``
    (floating windows) and ``theme:card`` (a raised child window).
    """
    t, px = look.theme, look.px
    hover, press = t.lifted, mix(t.lifted, t.accent, 0.25)
    colours: dict[int, Colour] = {
        dpg.mvThemeCol_Text: t.text,
        dpg.mvThemeCol_TextDisabled: t.faint,
        dpg.mvThemeCol_WindowBg: t.panel,
        dpg.mvThemeCol_ChildBg: t.panel,
        dpg.mvThemeCol_PopupBg: mix(t.panel, t.raised, 0.6),
        dpg.mvThemeCol_Border: t.line,
        dpg.mvThemeCol_FrameBg: t.raised,
        dpg.mvThemeCol_FrameBgHovered: hover,
        dpg.mvThemeCol_FrameBgActive: press,
        dpg.mvThemeCol_TitleBg: t.panel,
        dpg.mvThemeCol_TitleBgActive: t.raised,
        dpg.mvThemeCol_MenuBarBg: t.panel,
        dpg.mvThemeCol_ScrollbarBg: alpha(t.panel, 0),
        dpg.mvThemeCol_ScrollbarGrab: t.lifted,
        dpg.mvThemeCol_ScrollbarGrabHovered: t.faint,
        dpg.mvThemeCol_ScrollbarGrabActive: t.accent,
        dpg.mvThemeCol_CheckMark: t.accent,
        dpg.mvThemeCol_SliderGrab: t.accent,
        dpg.mvThemeCol_SliderGrabActive: mix(t.accent, t.text, 0.3),
        dpg.mvThemeCol_Button: t.raised,
        dpg.mvThemeCol_ButtonHovered: hover,
        dpg.mvThemeCol_ButtonActive: press,
        dpg.mvThemeCol_Header: alpha(t.accent, 0.18),
        dpg.mvThemeCol_HeaderHovered: hover,
        dpg.mvThemeCol_HeaderActive: press,
        dpg.mvThemeCol_Separator: t.line,
        dpg.mvThemeCol_Tab: t.panel,
        dpg.mvThemeCol_TabHovered: hover,
        dpg.mvThemeCol_TabActive: t.raised,
        dpg.mvThemeCol_TabUnfocused: t.panel,
        dpg.mvThemeCol_TabUnfocusedActive: t.raised,
        dpg.mvThemeCol_TableHeaderBg: t.panel,
        dpg.mvThemeCol_TableBorderStrong: t.line,
        dpg.mvThemeCol_TableBorderLight: t.line,
        dpg.mvThemeCol_TextSelectedBg: alpha(t.accent, 0.35),
        dpg.mvThemeCol_DragDropTarget: t.accent,
        dpg.mvThemeCol_NavHighlight: alpha(t.accent, 0.6),
        dpg.mvThemeCol_ModalWindowDimBg: (0, 0, 0, 120),
        dpg.mvThemeCol_PlotHistogram: t.accent,
    }
    sizes: dict[int, tuple[float, ...]] = {
        dpg.mvStyleVar_WindowPadding: (px(10), px(10)),
        dpg.mvStyleVar_FramePadding: (px(9), px(5)),
        dpg.mvStyleVar_ItemSpacing: (px(8), px(6)),
        dpg.mvStyleVar_ItemInnerSpacing: (px(6), px(4)),
        dpg.mvStyleVar_CellPadding: (px(6), px(3)),
        dpg.mvStyleVar_ScrollbarSize: (px(10),),
        dpg.mvStyleVar_GrabMinSize: (px(10),),
        dpg.mvStyleVar_WindowRounding: (px(7),),
        dpg.mvStyleVar_ChildRounding: (0,),
        dpg.mvStyleVar_FrameRounding: (px(5),),
        dpg.mvStyleVar_PopupRounding: (px(7),),
        dpg.mvStyleVar_ScrollbarRounding: (px(5),),
        dpg.mvStyleVar_GrabRounding: (px(4),),
        dpg.mvStyleVar_TabRounding: (px(5),),
        dpg.mvStyleVar_FrameBorderSize: (1 if t.name == "contrast" else 0,),
        dpg.mvStyleVar_WindowBorderSize: (1,),
        dpg.mvStyleVar_ChildBorderSize: (0,),
        dpg.mvStyleVar_PopupBorderSize: (1,),
    }
    _theme("theme:all", colours, sizes)
    dpg.bind_theme("theme:all")
    none = alpha(t.panel, 0)
    _theme("theme:window", {}, {dpg.mvStyleVar_WindowPadding: (0, 0)})
    inside = {dpg.mvStyleVar_WindowPadding: (px(10), px(8)), dpg.mvStyleVar_ItemSpacing: (px(8), px(6))}
    _theme("theme:panel", {}, inside)
    tab = {dpg.mvStyleVar_FrameRounding: (0.0,), dpg.mvStyleVar_FramePadding: (px(12), px(6))}
    _theme("theme:tab", {dpg.mvThemeCol_Button: t.panel, dpg.mvThemeCol_Text: t.dim}, tab)
    _theme("theme:tab-on", {dpg.mvThemeCol_Button: t.raised, dpg.mvThemeCol_Text: t.text}, tab)
    _theme("theme:flat", {dpg.mvThemeCol_Button: none, dpg.mvThemeCol_FrameBg: none}, {})
    _theme(
        "theme:strip",
        {},
        {
            dpg.mvStyleVar_WindowPadding: (0, 0),
            dpg.mvStyleVar_ItemSpacing: (0, 0),
        },
    )
    bare = {dpg.mvStyleVar_WindowPadding: (0, 0), dpg.mvStyleVar_ItemSpacing: (0, 0)}
    _theme("theme:desk", {dpg.mvThemeCol_ChildBg: t.desk}, bare)
    _theme("theme:foot", {dpg.mvThemeCol_ChildBg: mix(t.panel, t.desk, 0.6)}, bare)
    _theme("theme:bar", {}, {dpg.mvStyleVar_WindowPadding: (px(12), px(3)), dpg.mvStyleVar_ItemSpacing: (px(8), px(2))})
    ink = t.desk if t.name != "light" else t.body
    _theme(
        "theme:accent",
        {
            dpg.mvThemeCol_Button: t.accent,
            dpg.mvThemeCol_ButtonHovered: mix(t.accent, t.text, 0.2),
            dpg.mvThemeCol_ButtonActive: mix(t.accent, t.text, 0.35),
            dpg.mvThemeCol_Text: ink,
        },
        {},
    )
    _theme(
        "theme:danger",
        {dpg.mvThemeCol_Button: mix(t.raised, t.bad, 0.45), dpg.mvThemeCol_ButtonHovered: mix(t.raised, t.bad, 0.65)},
        {},
    )
    _theme(
        "theme:popup",
        {dpg.mvThemeCol_WindowBg: mix(t.panel, t.raised, 0.5), dpg.mvThemeCol_Border: t.faint},
        {dpg.mvStyleVar_WindowPadding: (px(12), px(12))},
    )
    _theme(
        "theme:menu", {}, {dpg.mvStyleVar_WindowPadding: (px(10), px(9)), dpg.mvStyleVar_ItemSpacing: (px(10), px(7))}
    )
    _theme(
        "theme:card",
        {dpg.mvThemeCol_ChildBg: t.raised},
        {dpg.mvStyleVar_ChildRounding: (px(7),), dpg.mvStyleVar_WindowPadding: (px(10), px(8))},
    )
    for name, ring in (("theme:swatch", 0.0), ("theme:swatch-on", 2.0)):
        round_ = {dpg.mvStyleVar_FrameRounding: (px(9),), dpg.mvStyleVar_FrameBorderSize: (ring * look.scale,)}
        _theme(name, {dpg.mvThemeCol_Border: t.text}, round_)
    quiet = {dpg.mvThemeCol_Button: none, dpg.mvThemeCol_ButtonHovered: t.lifted}
    _theme(
        "theme:name", quiet, {dpg.mvStyleVar_ButtonTextAlign: (0.0, 0.5), dpg.mvStyleVar_FramePadding: (px(4), px(4))}
    )
    _theme(
        "theme:lifted", {dpg.mvThemeCol_Button: t.lifted, dpg.mvThemeCol_ButtonHovered: mix(t.lifted, t.text, 0.15)}, {}
    )
    calm = {dpg.mvThemeCol_Button: t.raised, dpg.mvThemeCol_Text: t.text}
    _theme("theme:unlit", calm, {})
    lit = {
        dpg.mvThemeCol_Button: mix(t.raised, t.accent, 0.3),
        dpg.mvThemeCol_ButtonHovered: mix(t.raised, t.accent, 0.42),
        dpg.mvThemeCol_Text: t.accent,
    }
    _theme("theme:lit", lit, {})
    red = {dpg.mvThemeCol_Button: mix(t.raised, t.bad, 0.4), dpg.mvThemeCol_Text: t.bad}
    _theme("theme:record", red, {})
    _theme("theme:clock", {dpg.mvThemeCol_FrameBg: t.well, dpg.mvThemeCol_Text: t.accent}, {})
    dpg.set_viewport_clear_color(list(t.panel))


def _theme(tag: str, colours: Mapping[int, Colour], sizes: Mapping[int, tuple[float, ...]]) -> None:
    if not dpg.does_item_exist(tag):
        dpg.add_theme(tag=tag)
    dpg.delete_item(tag, children_only=True)
    part = dpg.add_theme_component(dpg.mvAll, parent=tag)
    for target, colour in colours.items():
        dpg.add_theme_color(target, colour, category=dpg.mvThemeCat_Core, parent=part)
    for target, values in sizes.items():
        dpg.add_theme_style(target, *values, category=dpg.mvThemeCat_Core, parent=part)
