"""The processor we compile for: this one."""

from __future__ import annotations

from functools import cache

import llvmlite.binding as llvm


@cache
def _initialised() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


@cache
def features() -> str:
    """What this machine's processor can do.

    On x86 without its gathers and scatters: they cost as much as their elements one by one, and with them at hand LLVM
    vectorises over frames or nodes, with strides, where it should over lanes.
    """
    found = llvm.get_host_cpu_features().flatten()
    x86 = llvm.get_process_triple().startswith(("x86_64", "i686"))
    return f"{found},+prefer-no-gather,+prefer-no-scatter" if x86 else found


@cache
def description() -> str:
    """Name and features of this machine's processor, as part of cache keys."""
    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {features()}"


@cache
def target_machine() -> llvm.TargetMachine:
    """The code generator for this machine, position independent."""
    return new_target_machine()


def new_target_machine() -> llvm.TargetMachine:
    """A code generator of one's own (a just-in-time linker takes it over)."""
    _initialised()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features(), opt=3, reloc="pic", codemodel="default"
    )
