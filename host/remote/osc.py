"""What OSC clients may say, and what they are told. The network itself is in ``host.remote.udp``.

| message | does |
|---|---|
| ``/node/param value`` | sets a param, in its display unit; a choice also by its name; the address may be a pattern |
| ``/node/param`` | is answered by the same with its value |
| ``/query [prefix]`` | is answered by ``/param`` for each param below: address, value, low, high, default, unit, curve, choices; then ``/end`` with the prefix and how many there were |
| ``/subscribe [prefix] [port]`` | sends each param below now, and then whenever it changes; to the sender's address, and to the port if one is given |
| ``/unsubscribe [port]`` | ends that |
| ``/ping`` | is answered by ``/pong`` |
| ``/transport/…`` | is for the transport: ``host.remote.osc_transport`` |

What is wrong is answered by ``/error`` with the address and what was expected: every few seconds at most for each
sender and address. As many send from one port and listen at another, it is also said to the person here, once for each
address. A subscription lasts a minute after the last message from its sender.
"""  # noqa: E501 - a table

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from graph.resolve import misfit
from graph.spec import Param
from host.remote import osc_transport
from host.remote.addresses import Addresses, Place
from host.remote.changes import Changes
from host.remote.limits import Allowance
from host.remote.osc_transport import TransportRequestError
from host.remote.patterns import PatternError, is_pattern, matching
from host.remote.scaling import CONTINUOUS
from host.remote.target import Target
from host.remote.transport import Deck
from host.remote.wire import Argument, Message, WireError, printable, read, write

Client = tuple[str, int]
"""Internet address and port."""

MOST_PEERS = 64
"""Senders that are remembered; the one that was silent longest is forgotten."""
MOST_COMPLAINTS = 256
"""Addresses that one sender is told about, and the person here."""
AGAIN_S = 3.0
"""A sender is told of one address at most so often."""
MOST_SUBSCRIPTIONS = 32
MOST_WAITING = 20_000
"""Datagrams that wait to be sent."""
LEASE_S = 60.0
FEEDBACK_S = 1 / 30
"""Seconds between two looks at what changed."""
MOST_AT_ONCE = 64
"""Changes told to one subscriber in one go: what a receiver's buffer can take."""
MOST_LOOKED_AT = 1000
"""Params looked at for one subscriber in one go."""


class RequestError(ValueError):
    """What a client is told is wrong with its message."""


@dataclass(slots=True)
class _Peer:
    """What is remembered of a sender."""

    complained: dict[str, float] = field(default_factory=dict[str, float])
    """Until when nothing more is said of an address."""
    errors: Allowance = field(default_factory=lambda: Allowance(10, 2))


@dataclass(slots=True)
class _Subscription:
    """Who is told, on whose word, of what below which prefix, and what was told last."""

    sender: Client
    prefix: str
    until: float
    places: list[Place]
    told: dict[str, float] = field(default_factory=dict[str, float])
    told_transport: dict[str, tuple[float, ...]] = field(default_factory=dict[str, tuple[float, ...]])
    next: int = 0
    """Where in the list of params the next look begins, so that none waits for ever."""


class OscSession:
    """All clients together. Times are in seconds on any clock that does not jump. ``notice`` is told what is wrong."""

    def __init__(
        self,
        target: Target,
        changes: Changes,
        deck: Deck | None = None,
        notice: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.target = target
        self.deck = deck
        self.changes = changes
        self.outgoing: deque[tuple[bytes, Client]] = deque()
        """Datagrams to be sent, and to whom."""
        self._peers: OrderedDict[Client, _Peer] = OrderedDict()
        self._subscriptions: dict[Client, _Subscription] = {}
        self._errors = Allowance(40, 20)
        self._notice = notice
        self._notices = Allowance(5, 0.2)
        self._noticed: set[str] = set()
        self._patterns = Allowance(100, 50)
        self._answers = Allowance(2 * MOST_WAITING, 10_000)
        self._addresses: Addresses | None = None
        self._looked = float("-inf")

    # -- coming in -----------------------------------------------------------------------------------------------------

    def receive(self, datagram: bytes, client: Client, now: float) -> None:
        """Act on a datagram. Whatever is in it, nothing is raised."""
        self._notice_patch()
        peer = self._peer(client)
        for subscription in self._subscriptions.values():
            if subscription.sender == client:
                subscription.until = now + LEASE_S
        try:
            messages = read(datagram)
        except WireError as error:
            self._complain(peer, client, error.address, str(error), now)
            return
        for message in messages:
            try:
                self._act(message, client, now)
            except (RequestError, TransportRequestError) as wrong:
                self._complain(peer, client, message.address, str(wrong), now)

    def _act(self, message: Message, client: Client, now: float) -> None:
        address, arguments = message.address, message.arguments
        if self.deck is not None and address in osc_transport.ADDRESSES:
            self._act_on_transport(self.deck, address, arguments, client, now)
            return
        if address.count("/") == 1 and not is_pattern(address):
            self._command(address, arguments, client, now)
            return
        places = self._places(address, now)
        if not arguments:
            for place in places:
                self._answer(client, now, place.address, self._value(place))
            return
        if len(arguments) != 1:
            raise RequestError(f"expected one value, found {len(arguments)}")
        for place in places:
            value = checked_value(place.param, arguments[0])
            self.changes.put(*place.key, value)
            for to, subscription in self._subscriptions.items():
                if subscription.sender == client or to == client:
                    subscription.told[place.address] = value  # who sets a value knows it

    def _act_on_transport(
        self, deck: Deck, address: str, arguments: tuple[Argument, ...], client: Client, now: float
    ) -> None:
        if address != osc_transport.ROOT:
            osc_transport.act(deck, address, arguments)
            return
        for told, values in osc_transport.news(deck, {}):
            self._answer(client, now, told, *values)

    def _places(self, address: str, now: float) -> Sequence[Place]:
        place = self.target.addresses.get(address)
        if place is not None:
            return (place,)
        if not is_pattern(address):
            raise RequestError("there is no such param; /query lists those there are")
        if not self._patterns.take(now):
            raise RequestError("too many patterns per second")
        try:
            found = matching(self.target.addresses, address)
        except PatternError as error:
            raise RequestError(str(error)) from None
        if not found:
            raise RequestError("no param fits this pattern")
        return found

    def _command(self, address: str, arguments: tuple[Argument, ...], client: Client, now: float) -> None:
        match address, arguments:
            case "/ping", ():
                self._answer(client, now, "/pong")
            case "/query", () | (str(),):
                self._query(str(arguments[0]) if arguments else "/", client, now)
            case "/subscribe", () | (str(),) | (str(), int()) | (int(),):
                prefix = next((a for a in arguments if isinstance(a, str)), "/")
                self._subscribe(prefix, _reply_to(arguments, client), client, now)
            case "/unsubscribe", () | (int(),):
                to = _reply_to(arguments, client)
                if to in self._subscriptions and self._subscriptions[to].sender[0] == client[0]:
                    del self._subscriptions[to]
            case "/ping" | "/query" | "/subscribe" | "/unsubscribe", _:
                raise RequestError("these are not the arguments it takes: /query [prefix], /subscribe [prefix] [port]")
            case _:
                raise RequestError("there is no such message; there are /query, /subscribe, /unsubscribe, /ping")

    def _query(self, prefix: str, client: Client, now: float) -> None:
        places = self._below(prefix)
        if len(self.outgoing) + len(places) > MOST_WAITING:
            raise RequestError("too many answers are waiting; ask for less, or later")
        for place in places:
            p = place.param
            value, ends = self._value(place), (float(p.low), float(p.high), float(p.default))
            self._answer(
                client, now, "/param", place.address, value, *ends, p.unit, p.curve, printable(", ".join(p.choices))
            )
        self._answer(client, now, "/end", prefix, len(places))

    def _subscribe(self, prefix: str, to: Client, client: Client, now: float) -> None:
        places = self._below(prefix)
        if to not in self._subscriptions and len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            raise RequestError(f"there are {MOST_SUBSCRIPTIONS} subscriptions already")
        self._subscriptions[to] = _Subscription(client, prefix, now + LEASE_S, places)

    def _below(self, prefix: str) -> list[Place]:
        places = self.target.addresses.under(prefix)
        transport = self.deck is not None and prefix == osc_transport.ROOT
        if not places and prefix != "/" and not transport:
            raise RequestError(f"there is no param below {printable(prefix)}")
        return places

    # -- going out -----------------------------------------------------------------------------------------------------

    def feedback(self, now: float) -> None:
        """Tell subscribers what changed, some thirty times per second at most; forget those whose time is over."""
        if now - self._looked < FEEDBACK_S:
            return
        self._looked = now
        self._notice_patch()
        self._subscriptions = {to: s for to, s in self._subscriptions.items() if s.until > now}
        values: dict[str, float] = {}
        for to, subscription in self._subscriptions.items():
            if len(self.outgoing) > MOST_WAITING - MOST_AT_ONCE:
                return
            if self.deck is not None and subscription.prefix in ("/", osc_transport.ROOT):
                for address, numbers in osc_transport.news(self.deck, subscription.told_transport):
                    subscription.told_transport[address] = numbers
                    self._send(to, address, *numbers)
            for place, value in self._news(subscription, values):
                subscription.told[place.address] = value
                self._send(to, place.address, self._shown(place, value))

    def _news(self, subscription: _Subscription, values: dict[str, float]) -> Iterator[tuple[Place, float]]:
        """Params whose values a subscriber does not know yet, a bounded number of them."""
        places, count = subscription.places, 0
        for _ in range(min(len(places), MOST_LOOKED_AT)):
            place = places[subscription.next % len(places)]
            subscription.next = (subscription.next + 1) % len(places)
            if place.address not in values:
                values[place.address] = self.changes.get(self.target, *place.key)
            value = values[place.address]
            if subscription.told.get(place.address) != value:
                yield place, value
                count += 1
                if count == MOST_AT_ONCE:
                    return

    def _value(self, place: Place) -> float:
        return self._shown(place, self.changes.get(self.target, *place.key))

    @staticmethod
    def _shown(place: Place, value: float) -> float:
        """A value as it is sent: a whole number where the param takes nothing else."""
        return float(value) if place.param.curve in CONTINUOUS else round(value)

    def _answer(self, client: Client, now: float, address: str, *arguments: float | str) -> None:
        if self._answers.take(now) and len(self.outgoing) < MOST_WAITING:
            self._send(client, address, *arguments)

    def _send(self, client: Client, address: str, *arguments: float | str) -> None:
        self.outgoing.append((write(address, *arguments), client))

    def _complain(self, peer: _Peer, client: Client, address: str, words: str, now: float) -> None:
        """Say what is wrong, unless it was said just now or too much was. Complaints are not complained of: two
        programs that hear each other would go on for ever.
        """
        if address == "/error":
            return
        if len(self._noticed) < MOST_COMPLAINTS and address not in self._noticed and self._notices.take(now):
            self._noticed.add(address)
            self._notice(
                f"OSC from {client[0]}:{client[1]}: {printable(address, 64) or 'a datagram'}: {printable(words)}"
            )
        if len(peer.complained) >= MOST_COMPLAINTS:
            peer.complained = {a: until for a, until in peer.complained.items() if until > now}
        if now < peer.complained.get(address, now) or len(peer.complained) >= MOST_COMPLAINTS:
            return
        if peer.errors.take(now) and self._errors.take(now) and len(self.outgoing) < MOST_WAITING:
            peer.complained[address] = now + AGAIN_S
            self._send(client, "/error", printable(address), printable(words))

    # -- who there is --------------------------------------------------------------------------------------------------

    def _peer(self, client: Client) -> _Peer:
        peer = self._peers.pop(client, None) or _Peer()
        self._peers[client] = peer
        if len(self._peers) > MOST_PEERS:
            self._peers.popitem(last=False)
        return peer

    def _notice_patch(self) -> None:
        """With another patch, what was wrong may be right, and what was told may be old."""
        if self.target.addresses is self._addresses:
            return
        self._addresses = self.target.addresses
        for peer in self._peers.values():
            peer.complained.clear()
        self._noticed.clear()
        for subscription in self._subscriptions.values():
            subscription.told = {a: v for a, v in subscription.told.items() if self._addresses.get(a)}
            subscription.places = self._addresses.under(subscription.prefix)
            subscription.next = 0


def _reply_to(arguments: tuple[Argument, ...], client: Client) -> Client:
    """Where a subscriber listens: on the sender's machine, never on another, or anyone could have anyone flooded."""
    for argument in arguments:
        if isinstance(argument, int) and not isinstance(argument, bool):
            if not 1024 <= argument <= 65535:
                raise RequestError(f"expected a port from 1024 to 65535, found {argument}")
            return client[0], argument
    return client


def checked_value(param: Param, argument: Argument) -> float:
    """The value for a param that a message holds; a choice may be given by its name. Raises RequestError."""
    if isinstance(argument, str):
        if argument not in param.choices:
            names = f", or one of {', '.join(param.choices)}" if param.choices else ""
            raise RequestError(f"expected a number{names}, found the text {printable(argument, 40)!r}")
        return float(param.choices.index(argument))
    if argument is None or not math.isfinite(argument):
        raise RequestError("expected a finite number")
    if isinstance(argument, bool):
        argument = int(argument)
    value = float(argument)
    single = np.float32(max(min(value, 3e38), -3e38))
    if float(single) == value:
        # OSC's usual number has 32 bits: 0.1 comes as 0.10000000149, and the end of a range may come as just beyond it.
        value = float(str(single))
        for end in (param.low, param.high):
            if single == np.float32(end):
                value = float(end)
    if wrong := misfit(param, value):
        raise RequestError(wrong)
    return value
