"""Names and texts that have exactly one spelling."""
import base64
import re

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PEER_ID_PREFIX = bytes.fromhex("002408011220")
LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
AUTHORITY = re.compile(rf"{LABEL}(?:\.{LABEL})*(?::[1-9][0-9]{{0,4}})?")
SCHEME = "stigmem://"


class Refused(Exception):
    """What a peer sent is not accepted; `reason` is a code of the protocol."""

    def __init__(self, reason, detail=""):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    """Bytes of base64 text, None unless it is the one spelling of them."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        return None
    return data if b64(data) == text else None


def key_of_peer_id(peer_id):
    number = 0
    for char in peer_id:
        number = number * 58 + ALPHABET.index(char)
    raw = number.to_bytes(37, "big")  # a leading "1" stands for the zero byte in front
    raw = b"\x00" * (38 - len(raw)) + raw
    if not raw.startswith(PEER_ID_PREFIX):
        raise ValueError(f"{peer_id} holds no Ed25519 key")
    return raw[len(PEER_ID_PREFIX):]


def peer_id_of_key(key):
    raw = PEER_ID_PREFIX + key
    number = int.from_bytes(raw, "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def authority_of(uri):
    """The authority that a URI belongs to, or None."""
    if not uri.startswith(SCHEME):
        return None
    authority = uri[len(SCHEME):].split("/", 1)[0]
    return authority if len(authority) <= 259 and AUTHORITY.fullmatch(authority) else None


def decimal(text):
    """A decimal without sign and leading zeros, at most 2^53 - 1; None for anything else."""
    if not re.fullmatch("0|[1-9][0-9]{0,15}", text):
        return None
    number = int(text)
    return number if number < 2**53 else None
