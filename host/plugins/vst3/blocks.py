"""One block through a VST3 plugin in compiled code: what it is handed, and the call itself.

The objects that a plugin calls back while it processes (param changes, events) are tables of words behind tables of
our own compiled functions, so no interpreter, no lock and no allocation is on that path, and every block starts from a
fresh hand-out, whatever the plugin did to the one before. The constants below say what lies where.
"""

from __future__ import annotations

from graph.spec import helper
from host.native.raw import load_atomic, now_ns, set_word, store_atomic, word
from host.plugins.instance import CHANGES, DROPPED, EVENTS, MOST_CHANGES, MOST_EVENTS

# The words of an instance after those that every native call has.
PROCESSOR, PROCESS, DATA = 8, 9, 10
"""The plugin's object and its function, and the address of ProcessData."""
IN_BUSES, OUT_BUSES, IN_COUNT, OUT_COUNT = 11, 12, 13, 14
"""Tables of buses (rows of ``BUS_WORDS``), and how many rows."""
IN_TABLE, OUT_TABLE = 15, 16
"""Addresses of the arrays of AudioBusBuffers."""
QUEUES, PARAMS = 17, 18
"""One queue of changes for each param (rows of ``QUEUE_WORDS``), and how many params."""
USED = 19
"""Places of the queues that hold something in this block; their count is the parameter changes object's."""
CHANGE_LIST, EVENT_LIST, OUT_LIST, OUT_EVENTS = 20, 21, 22, 23
"""The objects."""
SEEN = 24
"""One queue of what the plugin says for each param (rows of ``SEEN_WORDS``), and one more for ids that it has not."""
POINTS = 25
"""Pairs of frame and bits of the value that the queues point into."""
MERGED = 26
"""Triples of place, frame, bits: all changes of the block, by frame."""
ROOM = 27
"""How many changes fit."""
EVENT_SPACE = 29
CONTROLLERS = 30
"""Place of the param for each channel and controller (``CC_COUNT`` a channel), or −1; the address 0: no MIDI at all."""
VELOCITIES = 31
"""128 words with the bits of the float32 k / 127, 128 with those of the float64, 16384 with those of k / 16383."""
CONTEXT = 32
ASKED = 33
"""1: a person set a param outside of a block; its queue holds the value."""
MOST_FRAMES = 34
RATE_BITS = 35
SORTED = 36
"""Pairs of id and place, by rising id."""
WORDS = 40

BUS_WORDS = 8
BUS_ON, BUS_CHANNELS, BUS_POINTERS, BUS_SPARE, BUS_ORDER, BUS_POINTER_COUNT = 0, 1, 2, 3, 4, 5
"""Whether it is on, its channels, the array of pointers we fill, the buffer for pointers beyond its channels (and for
all of a bus that is off), and, for each of its channels, the caller's channel."""
QUEUE_WORDS = 8
QUEUE_TABLE, QUEUE_ID, QUEUE_COUNT, QUEUE_POINTS, QUEUE_ASKED, QUEUE_VALUE, QUEUE_FILLED = 0, 1, 2, 3, 4, 5, 6
QUEUE_GRIP = 7
"""Until when (``now_ns``) a person has the param's knob in the plugin's window in hand: other changes wait outside."""
SEEN_WORDS = 4
SEEN_TABLE, SEEN_ID, SEEN_VALUE, SEEN_CHANGED = 0, 1, 2, 3
LIST_TABLE, LIST_COUNT, LIST_WORDS = 0, 1, 2
"""An object that hands things out: its functions, how many, and the address of the instance's words."""
EVENT_WORDS = 6
CC_COUNT = 130
AFTERTOUCH, BEND = 128, 129
LOW = 0xFFFFFFFF
SIGN = 0x80000000


@helper
def signed(value):
    """The 32-bit whole number in the lower half of a register, whose upper half is anything."""
    return ((value & LOW) ^ SIGN) - SIGN


@helper
def half(address):
    """The unsigned 32-bit number at an address."""
    return word(address & ~7, 0) >> 8 * (address & 4) & LOW


@helper
def set_half(address, value):
    """Set the 32-bit number at an address that is a multiple of four; nothing at 0."""
    if address != 0:
        shift = 8 * (address & 4)
        around = word(address & ~7, 0) & ~(LOW << shift)
        set_word(address & ~7, 0, around | (value & LOW) << shift)


@helper
def publish(address, value):
    """Publish a word."""
    store_atomic(address, value)


@helper
def no_interface(this, identifier, out):
    """``queryInterface`` of objects that are only ever passed as what they are."""
    if out != 0:
        set_word(out, 0, 0)
    return -1


@helper
def counted(this):
    """``addRef`` and ``release`` of objects that outlive every call."""
    return 1


@helper
def list_count(this):
    """``getParameterCount`` and ``getEventCount``."""
    return word(this, LIST_COUNT)


@helper
def changes_get(this, index):
    """``IParameterChanges::getParameterData`` for changes on their way to the plugin."""
    at = signed(index)
    if at < 0 or at >= word(this, LIST_COUNT):
        return 0
    words = word(this, LIST_WORDS)
    return word(words, QUEUES) + 8 * QUEUE_WORDS * word(word(words, USED), at)


@helper
def changes_add(this, id, index):
    """``addParameterData`` there: what comes from the plugin has another list."""
    return 0


@helper
def queue_id(this):
    """``IParamValueQueue::getParameterId``."""
    return word(this, QUEUE_ID)


@helper
def queue_count(this):
    """``getPointCount``."""
    return word(this, QUEUE_COUNT)


@helper
def queue_get(this, index, frame, value):
    """``getPoint``."""
    at = signed(index)
    if at < 0 or at >= word(this, QUEUE_COUNT) or frame == 0 or value == 0:
        return 1
    point = word(this, QUEUE_POINTS) + 16 * at
    set_half(frame, word(point, 0))
    set_word(value, 0, word(point, 1))
    return 0


@helper
def refused(this, first, second, third):
    """A function that always says no."""
    return 1


@helper
def nothing(this, first, second, third):
    """A function that always gives 0."""
    return 0


@helper
def events_get(this, index, event):
    """``IEventList::getEvent``."""
    at = signed(index)
    if at < 0 or at >= word(this, LIST_COUNT) or event == 0:
        return 1
    source = word(word(this, LIST_WORDS), EVENT_SPACE) + 8 * EVENT_WORDS * at
    for k in range(EVENT_WORDS):
        set_word(event, k, word(source, k))
    return 0


@helper
def out_add(this, id, index):
    """``addParameterData`` for what the plugin says: the param's queue, or, for an id that it has not, one more."""
    words = word(this, LIST_WORDS)
    count = word(words, PARAMS)
    place = count
    if id != 0:
        wanted = half(id)
        table = word(words, SORTED)
        low = 0
        high = count
        while low < high:
            middle = (low + high) // 2
            if word(table, 2 * middle) < wanted:
                low = middle + 1
            else:
                high = middle
        if low < count and word(table, 2 * low) == wanted:
            place = word(table, 2 * low + 1)
    set_half(index, 0)
    return word(words, SEEN) + 8 * SEEN_WORDS * place


@helper
def put(words, count, place, frame, bits, frames):
    """Note a change of the block; how many there are then."""
    if place < 0 or place >= word(words, PARAMS) or count >= word(words, ROOM):
        set_word(words, DROPPED, word(words, DROPPED) + 1)
        return count
    at = word(words, MERGED) + 24 * count
    set_word(at, 0, place)
    set_word(at, 1, max(0, min(frame, frames - 1)))
    set_word(at, 2, bits)
    return count + 1


@helper
def put_asked(words, count, frames):
    """Note what was set outside of blocks, at the first frame."""
    if load_atomic(words + 8 * ASKED) == 0:
        return count
    store_atomic(words + 8 * ASKED, 0)
    left = 0
    for place in range(word(words, PARAMS)):
        queue = word(words, QUEUES) + 8 * QUEUE_WORDS * place
        if load_atomic(queue + 8 * QUEUE_ASKED):
            if count < word(words, ROOM):
                store_atomic(queue + 8 * QUEUE_ASKED, 0)
                count = put(words, count, place, 0, load_atomic(queue + 8 * QUEUE_VALUE), frames)
            else:
                left = 1
    if left:
        store_atomic(words + 8 * ASKED, 1)
    return count


@helper
def note(words, count, event, frames):
    """Hand out a note or its pressure as an event of VST3; how many there are then."""
    if count >= MOST_EVENTS:
        set_word(words, DROPPED, word(words, DROPPED) + 1)
        return count
    status = event & 0xF0
    channel = event & 0x0F
    pitch = event >> 8 & 0x7F
    velocity = event >> 16 & 0x7F
    bits = word(word(words, VELOCITIES), velocity)
    at = word(words, EVENT_SPACE) + 8 * EVENT_WORDS * count
    set_word(at, 0, max(0, min(event >> 32, frames - 1)) << 32)
    set_word(at, 1, word(word(words, CONTEXT), 5))
    set_word(at, 4, 0)
    set_word(at, 5, 0)
    if status == 0x90 and velocity > 0:
        set_word(at, 2, 1)
        set_word(at, 3, channel | pitch << 16)
        set_word(at, 4, bits)
        set_word(at, 5, LOW)
    else:
        kind = 3 if status == 0xA0 else 1
        set_word(at, 2, 1 | kind << 16)
        set_word(at, 3, channel | pitch << 16 | bits << 32)
        set_word(at, 4, LOW)
    return count + 1


@helper
def controller_place(words, event):
    """The place of the param that the plugin wants a controller, a bend or channel pressure to move, or −1."""
    status = event & 0xF0
    number = -1
    if status == 0xB0:
        number = event >> 8 & 0x7F
    elif status == 0xD0:
        number = AFTERTOUCH
    elif status == 0xE0:
        number = BEND
    if number < 0:
        return -1
    return word(word(words, CONTROLLERS), (event & 0x0F) * CC_COUNT + number)


@helper
def controller_bits(words, event):
    """The bits of a controller's normalised value, looked up."""
    table = word(words, VELOCITIES)
    status = event & 0xF0
    if status == 0xE0:
        return word(table, 256 + (event >> 8 & 0x7F | (event >> 16 & 0x7F) << 7))
    shift = 8 if status == 0xD0 else 16
    return word(table, 128 + (event >> shift & 0x7F))


@helper
def gripped(words, place, now):
    """Whether a person has hold of a param."""
    if place < 0 or place >= word(words, PARAMS):
        return False
    return load_atomic(word(words, QUEUES) + 8 * (QUEUE_WORDS * place + QUEUE_GRIP)) > now


@helper
def gather(words, frames):
    """Merge what was set, the block's changes and its MIDI into changes by frame and a list of events."""
    count = put_asked(words, 0, frames)
    notes = 0
    table = word(words, CHANGES)
    midi = word(words, EVENTS)
    if word(words, CONTROLLERS) == 0:
        midi = 0
    changes = 0
    events = 0
    if table != 0:
        changes = max(0, min(word(table, 0), MOST_CHANGES))
        set_word(words, DROPPED, word(words, DROPPED) + max(0, word(table, 0)) - changes)
    if midi != 0:
        events = max(0, min(word(midi, 0), MOST_EVENTS))
        set_word(words, DROPPED, word(words, DROPPED) + max(0, word(midi, 0)) - events)
    now = now_ns() if changes > 0 else 0
    i = 0
    j = 0
    while i < changes or j < events:
        if j >= events or (i < changes and word(table, 3 * i + 2) <= word(midi, j + 1) >> 32):
            place = word(table, 3 * i + 1)
            if not gripped(words, place, now):
                count = put(words, count, place, word(table, 3 * i + 2), word(table, 3 * i + 3), frames)
            i += 1
        else:
            event = word(midi, j + 1)
            status = event & 0xF0
            if status == 0x80 or status == 0x90 or status == 0xA0:
                notes = note(words, notes, event, frames)
            else:
                place = controller_place(words, event)
                if place >= 0:
                    count = put(words, count, place, event >> 32, controller_bits(words, event), frames)
            j += 1
    set_word(word(words, EVENT_LIST), LIST_COUNT, notes)
    return count


@helper
def queue_up(words, count):
    """Sort the changes into their params' queues, in time linear in their number."""
    changes = word(words, CHANGE_LIST)
    used = word(words, USED)
    queues = word(words, QUEUES)
    for k in range(word(changes, LIST_COUNT)):
        set_word(queues + 8 * QUEUE_WORDS * word(used, k), QUEUE_COUNT, 0)
    distinct = 0
    merged = word(words, MERGED)
    for k in range(count):
        place = word(merged, 3 * k)
        queue = queues + 8 * QUEUE_WORDS * place
        if word(queue, QUEUE_COUNT) == 0:
            set_word(used, distinct, place)
            distinct += 1
        set_word(queue, QUEUE_COUNT, word(queue, QUEUE_COUNT) + 1)
    start = word(words, POINTS)
    for k in range(distinct):
        queue = queues + 8 * QUEUE_WORDS * word(used, k)
        set_word(queue, QUEUE_POINTS, start)
        set_word(queue, QUEUE_FILLED, start)
        start += 16 * word(queue, QUEUE_COUNT)
    for k in range(count):
        place = word(merged, 3 * k)
        queue = queues + 8 * QUEUE_WORDS * place
        point = word(queue, QUEUE_FILLED)
        set_word(point, 0, word(merged, 3 * k + 1))
        set_word(point, 1, word(merged, 3 * k + 2))
        set_word(queue, QUEUE_FILLED, point + 16)
        seen = word(words, SEEN) + 8 * SEEN_WORDS * place
        store_atomic(seen + 8 * SEEN_VALUE, word(merged, 3 * k + 2))
        store_atomic(seen + 8 * SEEN_CHANGED, 1)
    set_word(changes, LIST_COUNT, distinct)
