"""TCP, multistream-select, Noise XX: gives a secure channel and the peer's proved identity key."""
import hashlib
import hmac
import socket
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NAME = b"Noise_XX_25519_ChaChaPoly_SHA256"
MAX_PLAIN = 65535 - 16
KEY_PREFIX = bytes.fromhex("08011220")
SIGNED_PREFIX = b"noise-libp2p-static-key:"
MULTISTREAM = "/multistream/1.0.0"
YAMUX = "/yamux/1.0.0"


def raw_public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def line(text):
    data = text.encode() + b"\n"
    return varint(len(data)) + data


class Reader:
    """Exact reads over anything that has recv()."""

    def __init__(self, recv):
        self.recv = recv
        self.buffer = b""

    def exactly(self, count):
        while len(self.buffer) < count:
            more = self.recv()
            if not more:
                raise EOFError(f"{len(self.buffer)} of {count} bytes")
            self.buffer += more
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def varint(self, max_bytes):
        number = 0
        for place in range(max_bytes):
            byte = self.exactly(1)[0]
            number |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if byte == 0 and place > 0:
                    raise ValueError("a length that is not in its shortest form")
                return number
        raise ValueError("a length that is too long")

    def line(self):
        data = self.exactly(self.varint(2))
        return data.decode().removesuffix("\n")


class Symmetric:
    """SymmetricState and CipherState of the Noise specification."""

    def __init__(self):
        self.h = self.ck = NAME  # 32 bytes, so it stands for itself
        self.mix_hash(b"")
        self.key = None
        self.n = 0

    def mix_hash(self, data):
        self.h = hashlib.sha256(self.h + data).digest()

    def hkdf(self, material):
        temp = hmac.digest(self.ck, material, "sha256")
        first = hmac.digest(temp, b"\x01", "sha256")
        return first, hmac.digest(temp, first + b"\x02", "sha256")

    def mix_key(self, material):
        self.ck, self.key = self.hkdf(material)
        self.n = 0

    def encrypt_and_hash(self, plain):
        out = plain if self.key is None else ChaCha20Poly1305(self.key).encrypt(nonce(self.n), plain, self.h)
        self.n += self.key is not None
        self.mix_hash(out)
        return out

    def decrypt_and_hash(self, data):
        out = data if self.key is None else ChaCha20Poly1305(self.key).decrypt(nonce(self.n), data, self.h)
        self.n += self.key is not None
        self.mix_hash(data)
        return out


def nonce(n):
    return b"\0\0\0\0" + struct.pack("<Q", n)


class Channel:
    """Encrypted bytes both ways."""

    def __init__(self, sock, reader, send_key, receive_key):
        self.sock = sock
        self.reader = reader
        self.send_cipher, self.receive_cipher = ChaCha20Poly1305(send_key), ChaCha20Poly1305(receive_key)
        self.sent = self.received = 0

    def send(self, data):
        for at in range(0, len(data), MAX_PLAIN):
            sealed = self.send_cipher.encrypt(nonce(self.sent), data[at:at + MAX_PLAIN], b"")
            self.sent += 1
            self.sock.sendall(struct.pack(">H", len(sealed)) + sealed)

    def recv(self):
        size, = struct.unpack(">H", self.reader.exactly(2))
        plain = self.receive_cipher.decrypt(nonce(self.received), self.reader.exactly(size), b"")
        self.received += 1
        return plain


def connect(host, port, seed, peer_key, name_muxer=True, timeout=30):
    """A channel to the peer, its multiplexer agreed on. Raises ValueError if another key answers."""
    sock = socket.create_connection((host, port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    reader = Reader(lambda: sock.recv(65536))
    sock.sendall(line(MULTISTREAM) + line("/noise"))
    if [reader.line(), reader.line()] != [MULTISTREAM, "/noise"]:
        raise ValueError("the peer speaks no Noise")

    identity = Ed25519PrivateKey.from_private_bytes(seed)
    static, ephemeral = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    state = Symmetric()

    def send(message):
        sock.sendall(struct.pack(">H", len(message)) + message)

    e = raw_public(ephemeral)
    state.mix_hash(e)
    send(e + state.encrypt_and_hash(b""))

    size, = struct.unpack(">H", reader.exactly(2))
    message = reader.exactly(size)
    remote_e, sealed_static, sealed_payload = message[:32], message[32:80], message[80:]
    state.mix_hash(remote_e)
    state.mix_key(ephemeral.exchange(X25519PublicKey.from_public_bytes(remote_e)))
    remote_static = state.decrypt_and_hash(sealed_static)
    state.mix_key(ephemeral.exchange(X25519PublicKey.from_public_bytes(remote_static)))
    their_muxers = check_payload(state.decrypt_and_hash(sealed_payload), remote_static, peer_key)

    sealed = state.encrypt_and_hash(raw_public(static))
    state.mix_key(static.exchange(X25519PublicKey.from_public_bytes(remote_e)))
    send(sealed + state.encrypt_and_hash(own_payload(identity, raw_public(static), name_muxer)))
    send_key, receive_key = state.hkdf(b"")
    channel = Channel(sock, reader, send_key, receive_key)
    if not (name_muxer and YAMUX in their_muxers):
        channel.send(line(MULTISTREAM) + line(YAMUX))
        inner = Reader(channel.recv)
        if [inner.line(), inner.line()] != [MULTISTREAM, YAMUX]:
            raise ValueError("the peer speaks no Yamux")
    return channel


def own_payload(identity, static, name_muxer):
    key = KEY_PREFIX + raw_public(identity)
    payload = field(1, key) + field(2, identity.sign(SIGNED_PREFIX + static))
    return payload + field(4, field(2, YAMUX.encode())) if name_muxer else payload


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(data):
    """The length-delimited fields of a protobuf message."""
    reader = Reader(lambda: b"")
    reader.buffer = data
    found = []
    while reader.buffer:
        tag = reader.varint(2)
        if tag & 7 != 2:
            raise ValueError("a field of another kind")
        found.append((tag >> 3, reader.exactly(reader.varint(3))))
    return found


def check_payload(payload, static, peer_key):
    """The multiplexers that the peer names, after its signature was checked."""
    parts = fields(payload)
    by_number = dict(parts)
    if by_number.get(1) != KEY_PREFIX + peer_key:
        raise ValueError("another key answers at this address")
    try:
        Ed25519PublicKey.from_public_bytes(peer_key).verify(by_number[2], SIGNED_PREFIX + static)
    except InvalidSignature as cause:
        raise ValueError("the peer does not hold its identity key") from cause
    extensions = [data for number, data in parts if number == 4]
    return [data.decode() for ext in extensions for number, data in fields(ext) if number == 2]
