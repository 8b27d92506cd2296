"""Yamux over a channel, for one thread: whoever waits for a stream pumps the session."""
import struct

from noise import MULTISTREAM, Reader, line, varint

DATA, WINDOW, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
FIRST_WINDOW = 256 * 1024
MAX_FRAME = 4_194_304


class Cut(Exception):
    """The answer ended without its end."""


class Session:
    def __init__(self, channel, serve=None):
        """`serve`: protocol id -> what answers a request with (frames, whether that is all)."""
        self.channel = channel
        self.serve = serve or {}
        self.reader = Reader(channel.recv)
        self.next_id = 1
        self.streams = {}
        self.inbound = {}

    def write(self, kind, flags, stream, length, body=b""):
        self.channel.send(struct.pack(">BBHII", 0, kind, flags, stream, length) + body)

    def open(self, protocol):
        stream = Stream(self, self.next_id)
        self.streams[self.next_id] = stream
        self.next_id += 2
        hello = line(MULTISTREAM) + line(protocol)
        self.write(DATA, SYN, stream.id, len(hello), hello)
        return stream

    def pump(self):
        """Takes in one frame."""
        version, kind, flags, id_, length = struct.unpack(">BBHII", self.reader.exactly(12))
        if version != 0:
            raise ValueError("another version of Yamux")
        if kind == PING:
            if flags & SYN:
                self.write(PING, ACK, 0, length)
            return
        if kind == GO_AWAY:
            raise EOFError(f"the peer goes away ({length})")
        body = self.reader.exactly(length) if kind == DATA else b""
        if id_ % 2 == 0:
            self.answer_inbound(id_, flags, body, kind, length)
            return
        stream = self.streams.get(id_)
        if stream is not None:
            stream.take(kind, flags, body, length)

    def answer_inbound(self, id_, flags, body, kind, length):
        """Streams that the peer opens: requests, and questions whether we are alive (`na` does for those)."""
        if flags & SYN:
            self.inbound[id_] = Inbound(self, id_)
            self.write(WINDOW, ACK, id_, 0)
        stream = self.inbound.get(id_)
        if stream is None:
            return
        if kind == WINDOW:
            stream.may_send += length
        stream.take(body, bool(flags & FIN))
        if flags & RST:
            del self.inbound[id_]


class Inbound:
    """The answering side of one stream."""

    def __init__(self, session, id_):
        self.session = session
        self.id = id_
        self.reader = Reader(lambda: b"")
        self.protocol = None
        self.may_send = FIRST_WINDOW

    def take(self, body, ended):
        self.reader.buffer += body
        if body:
            self.session.write(WINDOW, 0, self.id, len(body))
        while self.protocol is None and self.reader.buffer and len(self.reader.buffer) > self.reader.buffer[0]:
            asked = self.reader.line()
            known = asked == MULTISTREAM or asked in self.session.serve
            self.send(line(asked if known else "na"))
            self.protocol = asked if asked in self.session.serve else None
        if not ended:
            return
        if self.protocol is not None:
            request = self.reader.exactly(self.reader.varint(4))
            frames, is_whole = self.session.serve[self.protocol](request)
            for frame in frames:
                self.send(varint(len(frame)) + frame)
            if not is_whole:
                return  # a watch stays open
            self.send(b"\x00")
        self.session.write(WINDOW, FIN, self.id, 0)

    def send(self, data):
        self.may_send -= len(data)
        if self.may_send < 0:
            raise ValueError("this small server answers within the first window")
        self.session.write(DATA, 0, self.id, len(data), data)


class Stream:
    def __init__(self, session, id_):
        self.session = session
        self.id = id_
        self.unread = []
        self.window = FIRST_WINDOW  # what the peer may send
        self.may_send = FIRST_WINDOW
        self.ended = self.was_reset = False
        self.reader = Reader(self.recv)

    def take(self, kind, flags, body, length):
        if kind == WINDOW:
            self.may_send += length
        if len(body) > self.window:
            raise ValueError("more data than the window allows")
        self.window -= len(body)
        if body:
            self.unread.append(body)
        self.ended |= bool(flags & FIN)
        self.was_reset |= bool(flags & RST)

    def recv(self):
        while not self.unread:
            if self.was_reset:
                raise Cut("the peer reset the stream")
            if self.ended:
                return b""
            self.session.pump()
        body = self.unread.pop(0)
        self.window += len(body)
        if not self.ended:
            self.session.write(WINDOW, 0, self.id, len(body))
        return body

    def ask(self, protocol, request):
        """Sends the one request frame and closes our direction, before the echoes have come."""
        frame = varint(len(request)) + request
        self.session.write(DATA, 0, self.id, len(frame), frame)
        self.session.write(WINDOW, FIN, self.id, 0)
        if self.reader.line() != MULTISTREAM or self.reader.line() != protocol:
            raise ValueError(f"the peer does not speak {protocol}")

    def frames(self, max_bytes=MAX_FRAME):
        """The frames of the answer, up to the empty one."""
        while True:
            try:
                size = self.reader.varint(4)
                if size > max_bytes:
                    raise ValueError(f"a frame of {size} bytes")
                frame = self.reader.exactly(size)
            except EOFError as cause:
                raise Cut("no end frame") from cause
            if not frame:
                return
            yield frame


def request(session, protocol, body, max_bytes=MAX_FRAME):
    stream = session.open(protocol)
    stream.ask(protocol, body)
    return stream.frames(max_bytes)
