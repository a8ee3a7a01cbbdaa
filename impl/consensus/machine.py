"""The replicated state machine: a key-value store that executes each command of a client at most once."""

from __future__ import annotations

from typing import Final, NamedTuple

from ..node import NodeId, Value
from .messages import Command, StoreImage


class Outcome(NamedTuple):
    """What came of applying a command: `executed` is False for a repetition, and for one that was refused."""

    result: Value = None
    executed: bool = True
    refused: bool = False


class Session(NamedTuple):
    """A client's last command: its number, where in the log it was, and what it gave."""

    msg_id: int
    log_index: int
    result: Value


REFUSED: Final = Outcome(executed=False, refused=True)


class KeyValueStore:
    """The store and its client sessions (§8; thesis, 6.3). Its state depends on the log alone.

    A client has one command under way at a time, so its last result is all that a retry can ask for. The table is bounded:
    the session that has been idle for longest is forgotten, in the order of the log. A client proves that it is new by
    `since`, a commit index that it was told before its first command: all its commands come later in the log, so if a
    session of its was forgotten, it was last used after `since`. This stands in for the registration of clients through
    the log.
    """

    def __init__(self, sessions_max: int) -> None:
        self.data: dict[Value, Value] = {}
        self.sessions: dict[NodeId, Session] = {}  # the one that was used last comes last
        self.sessions_max = sessions_max
        self.forgotten_index = 0

    @staticmethod
    def understands(action: str, argument: Value) -> bool:
        """Whether this is a command at all; whatever gets into the log must be."""
        return action in {"put", "delete"} or (action == "cas" and isinstance(argument, tuple) and len(argument) == 2)

    def get(self, key: Value) -> Value:
        """The value of the key; None where there is none."""
        return self.data.get(key)

    def image(self) -> StoreImage:
        """§7; thesis, 6.3: a snapshot holds the sessions, too, and which of them may have been forgotten."""
        sessions = tuple((client, *session) for client, session in self.sessions.items())
        return StoreImage(tuple(self.data.items()), sessions, self.forgotten_index)

    def load(self, image: StoreImage) -> None:
        """§7: go on from a snapshot."""
        self.data = dict(image.data)
        self.sessions = {
            client: Session(msg_id, log_index, result) for client, msg_id, log_index, result in image.sessions
        }
        self.forgotten_index = image.forgotten_index

    def apply(self, index: int, command: Command) -> Outcome:
        """Apply the entry at this index."""
        session = self.sessions.pop(command.client, None)
        if self.is_expired(session, command):
            return REFUSED
        if session is not None and self.is_duplicate(session, command):
            self.sessions[command.client] = session._replace(log_index=index)
            return Outcome(session.result, executed=False)
        result = self.execute(command)
        self.sessions[command.client] = Session(command.msg_id, index, result)
        self.forget_idle()
        return Outcome(result)

    def is_expired(self, session: Session | None, command: Command) -> bool:
        """Thesis, 6.3: a command without a session is refused, unless its client is certainly new."""
        return session is None and command.since < self.forgotten_index

    def is_duplicate(self, session: Session, command: Command) -> bool:
        """§8: a command whose serial number was executed before is not executed again."""
        return command.msg_id <= session.msg_id

    def forget_idle(self) -> None:
        """Thesis, 6.3: all nodes must agree on when a session expires, so the log decides."""
        while len(self.sessions) > self.sessions_max:
            session = self.sessions.pop(next(iter(self.sessions)))
            self.forgotten_index = max(self.forgotten_index, session.log_index)

    def execute(self, command: Command) -> Value:
        """Change the store: put and delete answer nothing, cas whether it found what it expected (None: no value)."""
        match command.action:
            case "put":
                self.data[command.key] = command.argument
            case "delete":
                self.data.pop(command.key, None)
            case "cas":
                return self.compare_and_set(command.key, command.argument)
        return None

    def compare_and_set(self, key: Value, argument: Value) -> bool:
        """Set the key to the second value if it holds the first; values are compared by type, as JSON does."""
        assert isinstance(argument, tuple)
        expected, new = argument
        found = self.data.get(key)
        if type(found) is not type(expected) or found != expected:
            return False
        self.data[key] = new
        return True
