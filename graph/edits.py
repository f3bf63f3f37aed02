"""Everything that can be done to a patch, as values that name what they change by id, and the history of it all.

``edit.apply(patch)`` changes the patch and returns the edit that takes it back to exactly the same document. An edit
that cannot be applied raises PatchError and leaves the patch as it was.
"""

from graph.edit import Batch, Edit
from graph.history import History
from graph.node_edits import (
    UNSET,
    AddNode,
    Inside,
    Move,
    RemoveNode,
    RenameNode,
    Retitle,
    SetBypass,
    SetMute,
    SetParam,
    SetSetting,
    SetState,
    SetTint,
    Unset,
    inside,
)
from graph.patch_edits import (
    Connect,
    Disconnect,
    ReplaceAutomation,
    ReplacePatch,
    SetAutomation,
    SetCable,
    SetPatchField,
    SetSnapshot,
)

__all__ = [
    "UNSET",
    "AddNode",
    "Batch",
    "Connect",
    "Disconnect",
    "Edit",
    "History",
    "Inside",
    "Move",
    "RemoveNode",
    "RenameNode",
    "ReplaceAutomation",
    "ReplacePatch",
    "Retitle",
    "SetAutomation",
    "SetBypass",
    "SetCable",
    "SetMute",
    "SetParam",
    "SetPatchField",
    "SetSetting",
    "SetSnapshot",
    "SetState",
    "SetTint",
    "Unset",
    "inside",
]
