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
    def __init__(self, channel):
        self.channel = channel
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
            self.answer_inbound(id_, flags, body)
            return
        stream = self.streams.get(id_)
        if stream is not None:
            stream.take(kind, flags, body, length)

    def answer_inbound(self, id_, flags, body):
        """The peer opens streams too, to ask whether we are alive. We speak none of its protocols: `na`."""
        if flags & SYN:
            self.inbound[id_] = b""
            self.write(WINDOW, ACK, id_, 0)
        if id_ not in self.inbound:
            return
        reader = Reader(lambda: b"")
        reader.buffer = self.inbound[id_] + body
        while reader.buffer and len(reader.buffer) > reader.buffer[0]:
            asked = reader.line()
            reply = line(asked if asked == MULTISTREAM else "na")
            self.write(DATA, 0, id_, len(reply), reply)
        self.inbound[id_] = reader.buffer
        if flags & (FIN | RST):
            del self.inbound[id_]
            if flags & FIN:
                self.write(WINDOW, FIN, id_, 0)


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
