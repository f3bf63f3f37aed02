"""What holds for all tests."""

import signal

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell's background job starts with interrupts ignored, and so would every process that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
