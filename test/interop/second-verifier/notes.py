"""Signed notes and what is signed in them, from C2SP signed-note, tlog-checkpoint, tlog-cosignature and tlog-proof."""
import hashlib
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from messages import CONTROL, KEY_NAME, parse_signature, verify
from names import decimal, unb64
from tree import EMPTY_ROOT, is_included

ED25519, ECDSA, COSIGNATURE = 1, 2, 4
FIELD = 2**255 - 19
SMALL_ORDER = {0, 1, FIELD - 1,
               int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
               int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")}


class Refused(Exception):
    """What was given does not verify."""


def demand(condition, code):
    if not condition:
        raise Refused(code)


def parse_note(data):
    """(text, [(name, key id, signature)]); the whole is bytes, as received."""
    demand(len(data) <= 131_072, "size")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise Refused("utf-8") from cause
    demand(not CONTROL.search(whole), "control character")
    demand("\n\n" in whole and whole.endswith("\n"), "form")
    border = whole.rindex("\n\n")
    text, rest = whole[:border + 1], whole[border + 2:]
    lines = rest.split("\n")[:-1]
    demand(0 < len(lines) <= 64, "number of signatures")
    found = [parse_signature(line) for line in lines]
    demand(None not in found, "signature line")
    return text, found


def is_honest_point(raw):
    """The one encoding of a point that is not of small order."""
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    return len(raw) == 32 and y < FIELD and y not in SMALL_ORDER


def ed25519(key, message, signature):
    return (len(key) == 32 and len(signature) == 64 and is_honest_point(key) and is_honest_point(signature[:32])
            and verify(key, message, signature))


def p256(spki):
    try:
        key = load_der_public_key(spki)
    except ValueError:
        return None
    is_p256 = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    same = is_p256 and key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == spki
    return key if same else None


def ecdsa(spki, message, signature):
    key = p256(spki)
    try:
        if key is not None:
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return key is not None


def cosigned(key, text, signature):
    if len(signature) != 72:
        return False
    (when,) = struct.unpack(">Q", signature[:8])
    message = f"cosignature/v1\ntime {when}\n".encode() + text
    return when < 2**53 and ed25519(key, message, signature[8:])


VERIFY = {ED25519: ed25519, ECDSA: ecdsa, COSIGNATURE: cosigned}


def read_vkey(vkey):
    """(name, key id, algorithm, key)"""
    parts = vkey.split("+", 2)
    demand(len(parts) == 3 and KEY_NAME.fullmatch(parts[0]), "vkey")
    name, stated, raw = parts[0], parts[1], unb64(parts[2])
    demand(raw is not None and len(raw) > 1, "vkey")
    algorithm, key = raw[0], raw[1:]
    prefix = b"" if algorithm == ECDSA else name.encode() + b"\n" + raw[:1]
    computed = hashlib.sha256(prefix + key).digest()[:4]
    demand(computed.hex() == stated, "key id")
    demand(algorithm in VERIFY, "algorithm")
    demand(p256(key) is not None if algorithm == ECDSA else is_honest_point(key), "key")
    return name, computed, algorithm, key


def verify_note(data, vkeys):
    """The text and the keys that signed it: a known key with a bad signature refuses the whole note."""
    text, lines = parse_note(data)
    keys = [read_vkey(vkey) for vkey in vkeys]
    signed = []
    for name, id_, signature in lines:
        known = [key for key in keys if key[0] == name and key[1] == id_]
        if not known:
            continue
        good = [key for key in known if VERIFY[key[2]](key[3], text.encode(), signature)]
        demand(good, "signature")
        signed.extend(good)
    demand(signed, "no known signature")
    return text, signed


def parse_checkpoint(text):
    lines = text.split("\n")
    demand(len(lines) == 4 and lines[3] == "" and KEY_NAME.fullmatch(lines[0]), "checkpoint")
    size, root = decimal(lines[1]), unb64(lines[2])
    demand(size is not None and root is not None and len(root) == 32, "checkpoint")
    demand(size > 0 or root == EMPTY_ROOT, "root of the empty tree")
    return lines[0], size, root


def open_checkpoint(data, origin, key):
    """Signed by the log's own key, plain Ed25519."""
    text, lines = parse_note(data)
    name, size, root = parse_checkpoint(text)
    demand(name == origin, "origin")
    id_ = hashlib.sha256(origin.encode() + b"\n\x01" + key).digest()[:4]
    ours = [signature for who, line, signature in lines if who == origin and line == id_]
    demand(ours and all(ed25519(key, text.encode(), signature) for signature in ours), "signature")
    return size, root


def parse_tlog_proof(data):
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise Refused("utf-8") from cause
    demand("\n\n" in whole, "form")
    border = whole.index("\n\n")
    header, *lines = whole[:border].split("\n")
    demand(header == "c2sp.org/tlog-proof@v1" and lines and lines[0].startswith("index "), "header")
    index = decimal(lines[0].removeprefix("index "))
    path = [unb64(line) for line in lines[1:]]
    demand(index is not None and len(path) <= 53 and all(one is not None and len(one) == 32 for one in path), "hashes")
    return index, path, whole[border + 2:].encode()


def check_tlog_proof(data, leaf, origin, key):
    index, path, note = parse_tlog_proof(data)
    size, root = open_checkpoint(note, origin, key)
    demand(is_included(leaf, index, size, path, root), "inclusion")
    return index, size


def parse_feed_head(text):
    lines = text.split("\n")
    demand(len(lines) == 7 and lines[0] == "stigmem-feed/v1" and lines[6] == "", "feed head")
    origin, feed, length, size = lines[1], lines[2], decimal(lines[3]), decimal(lines[4])
    last = None if lines[5] == "-" else unb64(lines[5])
    demand(KEY_NAME.fullmatch(origin) and feed != "" and not has_control(feed), "names")
    demand(length is not None and size is not None and length <= size, "numbers")
    demand((length == 0) == (lines[5] == "-") and (length == 0 or (last is not None and len(last) == 32)), "last leaf")
    return origin


def has_control(text):
    return any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text)


def open_feed_head(data, origin, key):
    text, lines = parse_note(data)
    demand(parse_feed_head(text) == origin, "origin")
    id_ = hashlib.sha256(origin.encode() + b"\n\x01" + key).digest()[:4]
    ours = [signature for who, line, signature in lines if who == origin and line == id_]
    demand(ours and all(ed25519(key, text.encode(), signature) for signature in ours), "signature")
