"""The one function that a plugin calls with a float64 in a register: ``IParamValueQueue::addPoint``.

Our compiled helpers take whole numbers only, so this one is written in the compiler's own language.
"""

from __future__ import annotations

from functools import cache

import llvmlite.binding as llvm

from host.native.cpu import new_target_machine

WORD_VALUE, WORD_CHANGED = 2, 3
"""Where in the queue the value's bits go, and a 1."""

SOURCE = f"""
define i32 @patchwright_add_point(ptr %queue, i32 %frame, double %value, ptr %place) {{
  %at = getelementptr i64, ptr %queue, i64 {WORD_VALUE}
  %bits = bitcast double %value to i64
  store atomic i64 %bits, ptr %at monotonic, align 8
  %changed = getelementptr i64, ptr %queue, i64 {WORD_CHANGED}
  store atomic i64 1, ptr %changed release, align 8
  %none = icmp eq ptr %place, null
  br i1 %none, label %done, label %told
told:
  store i32 0, ptr %place
  br label %done
done:
  ret i32 0
}}
"""


@cache
def _linked() -> tuple[object, object, int]:
    machine = new_target_machine()
    module = llvm.parse_assembly(SOURCE)
    module.verify()
    compiler = llvm.create_lljit_compiler(machine)
    builder = llvm.JITLibraryBuilder().add_ir(module).export_symbol("patchwright_add_point")
    tracker = builder.link(compiler, "patchwright_add_point")
    return compiler, tracker, tracker["patchwright_add_point"]


def add_point() -> int:
    """The address of ``int32 addPoint(queue, int32, double, int32*)``: the last value counts, its frame does not."""
    return _linked()[2]
