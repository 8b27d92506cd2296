"""JSON with one spelling, signed notes, the declaration."""
import hashlib
import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from names import Refused, b64, decimal, unb64
from noise import raw_public

CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
KEY_NAME = re.compile(r"[^\s+]+")


def dumps(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def encode(value):
    return dumps(value).encode()


def decode(data, members, what):
    """A message with exactly these members, in its one spelling."""
    try:
        text = data.decode("utf-8")
        value = json.loads(text)
        same = isinstance(value, dict) and dumps(value) == text
    except (ValueError, RecursionError) as cause:
        raise Refused("page_malformed", f"{what}: {cause}") from cause
    if not same or sorted(value) != sorted(members) or not is_count(value.get("v"), 1, 1):
        raise Refused("page_malformed", f"{what} in another form")
    return value


def is_count(value, low=0, high=2**53 - 1):
    return type(value) is int and low <= value <= high


def key_id(name, key, algorithm=1):
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + key).digest()[:4]


def sign_note(text, name, seed):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    signature = key_id(name, raw_public(key)) + key.sign(text.encode())
    return f"{text}\n— {name} {b64(signature)}\n"


def open_note(note, name, key):
    """The text of a note: None if it is none, False if the key of this name has not signed it."""
    if len(note.encode()) > 131_072 or CONTROL.search(note) or not note.endswith("\n") or "\n\n" not in note:
        return None
    border = note.rindex("\n\n")
    text, lines = note[:border + 1], note[border + 2:].split("\n")[:-1]
    found = [parse_signature(each) for each in lines]
    if not 0 < len(found) <= 64 or None in found:
        return None
    ours = [sig for who, id_, sig in found if who == name and id_ == key_id(name, key)]
    return text if ours and all(verify(key, text.encode(), sig) for sig in ours) else False


def parse_signature(text):
    parts = text.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not KEY_NAME.fullmatch(parts[1]):
        return None
    data = unb64(parts[2])
    return None if data is None or len(data) < 5 else (parts[1], data[:4], data[4:])


def verify(key, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def open_declaration(note, node_id, identity_key):
    """(journal origin, log key) as the node declares them."""
    text = open_note(note, node_id, identity_key)
    parts = text.split("\n") if text else []
    if len(parts) != 4 or parts[0] != "stigmem-declaration/v1" or parts[1] != node_id or parts[3] != "":
        raise Refused("declaration_invalid")
    members = ["audit_origin", "issued_at", "journal_origin", "keys", "node_id", "peer_id", "v"]
    said = decode(parts[2].encode(), members, "declaration")
    if said["node_id"] != node_id:
        raise Refused("declaration_invalid")
    origin = said["journal_origin"]
    vkey = next((key["vkey"] for key in said["keys"] if key["vkey"].startswith(origin + "+")), None)
    data = unb64(vkey.split("+", 2)[2]) if vkey else None
    if data is None or len(data) != 33 or data[0] != 1 or vkey.split("+")[1] != key_id(origin, data[1:]).hex():
        raise Refused("log_key_missing")
    return origin, data[1:]


def declare(node_id, peer_id, seed, log_seed, now):
    origin = f"{node_id.removeprefix('stigmem://')}/journal/{hashlib.sha256(seed).hexdigest()[:16]}"
    log_key = raw_public(Ed25519PrivateKey.from_private_bytes(log_seed))
    vkey = f"{origin}+{key_id(origin, log_key).hex()}+{b64(bytes([1]) + log_key)}"
    key = {"algorithm": "ed25519", "not_after": None, "not_before": now, "use": "log", "vkey": vkey}
    said = {
        "audit_origin": origin.replace("/journal/", "/audit/"), "issued_at": now, "journal_origin": origin, "keys": [key],
        "node_id": node_id, "peer_id": peer_id, "v": 1,
    }
    return sign_note(f"stigmem-declaration/v1\n{node_id}\n{dumps(said)}\n", node_id, seed)


def page_note_text(origin, receiver, feed, after, to, size, frames):
    """What the sender of a page signs; `frames` are header, entries and proof, None for an absent one."""
    hashes = ["-" if frame is None else b64(hashlib.sha256(frame).digest()) for frame in frames]
    return "".join(f"{each}\n" for each in ["stigmem-page/v1", origin, receiver, feed, after, to, size, *hashes])


def open_checkpoint(note, origin, key):
    """(size, root), refused in the order of the protocol."""
    text = open_note(note, origin, key)
    bare = note[:note.rindex("\n\n") + 1] if "\n\n" in note else ""
    parts = bare.split("\n")
    size = decimal(parts[1]) if len(parts) == 4 else None
    root = unb64(parts[2]) if len(parts) == 4 else None
    is_form = len(parts) == 4 and parts[3] == "" and KEY_NAME.fullmatch(parts[0])
    if text is None or size is None or root is None or len(root) != 32 or not is_form:
        raise Refused("checkpoint_malformed")
    if size == 0 and root != hashlib.sha256().digest():
        raise Refused("checkpoint_malformed")
    if parts[0] != origin:
        raise Refused("checkpoint_origin_mismatch")
    if text is False:
        raise Refused("checkpoint_signature_invalid")
    return size, root


def open_feed_head(note, origin, key):
    """(feed, length, size, last leaf or None)"""
    text = open_note(note, origin, key)
    parts = text.split("\n") if text else []
    if len(parts) != 7 or parts[0] != "stigmem-feed/v1" or parts[1] != origin or parts[6] != "":
        raise Refused("feed_head_mismatch", "no head of this log")
    length, size = decimal(parts[3]), decimal(parts[4])
    last = None if parts[5] == "-" else unb64(parts[5])
    if length is None or size is None or length > size or (length == 0) != (parts[5] == "-"):
        raise Refused("feed_head_mismatch", "numbers")
    if length > 0 and (last is None or len(last) != 32):
        raise Refused("feed_head_mismatch", "last leaf")
    return parts[2], length, size, last
