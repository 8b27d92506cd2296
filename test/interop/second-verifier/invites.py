"""Codes of invitations: docs/PROTOCOL.md, invite."""
import hashlib
import re

from notes import demand
from statements import is_authority

DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
SPACE = re.compile("[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")


def unbase32(text):
    held, bits, out = 0, 0, bytearray()
    for char in text:
        demand(char in DIGITS, "alphabet")
        held, bits = (held << 5 | DIGITS.index(char)) & 0xfff, bits + 5
        if bits >= 8:
            bits -= 8
            out.append(held >> bits & 0xff)
    demand(bits < 5 and held & (1 << bits) - 1 == 0, "spelling")
    return bytes(out)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        demand(self.at + length <= len(self.data), "length")
        self.at += length
        return self.data[self.at - length:self.at]

    def text(self):
        raw = self.take(self.take(1)[0])
        demand(raw != b"", "empty text")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            demand(False, "UTF-8")

    def texts(self):
        count = self.take(1)[0]
        demand(count <= 16, "texts")
        return [self.text() for _ in range(count)]


def read_code(text):
    demand(len(text.encode("utf-16-le")) <= 2 * 24_576, "size")
    code = SPACE.sub("", text)
    demand(code.startswith("stigmem1"), "no code")
    data = unbase32(code.removeprefix("stigmem1"))
    demand(len(data) > 4, "size")
    body = data[:-4]
    demand(hashlib.sha256(b"stigmem-invite/v1\x00" + body).digest()[:4] == data[-4:], "sum")
    demand(body[0] == 1, "version")
    reader = Reader(body[1:])
    key, secret, ends = reader.take(32), reader.take(16), int.from_bytes(reader.take(4), "big")
    authority = reader.text()
    lists = [reader.texts() for _ in range(3)]
    until = int.from_bytes(reader.take(4), "big")
    demand(reader.at == len(reader.data) and is_authority(authority), "end")
    return [key.hex(), secret.hex(), ends, authority, *lists, until or None]
