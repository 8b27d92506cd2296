"""Notes whose text is lines: docs/PROTOCOL.md, docs/journal-format.md and docs/siem.md. Each opens to what it says."""
import hashlib
import re

from messages import KEY_NAME
from names import AUTHORITY, SCHEME, decimal, unb64
from notes import demand, ed25519, has_control, parse_note
from strict_json import is_count, members, null_or, strict, text_of

INSTANT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.[0-9]{3}Z")
DIGEST = re.compile("sha256:[0-9a-f]{64}")
REASON = re.compile("[a-z][a-z_]{0,63}")
GARDEN = re.compile("[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")
SINK = re.compile("sink ([a-z0-9][a-z0-9-]{0,31}) ([0-9]+) (sha256:[0-9a-f]{64})")
SCOPES = ("local", "team", "company", "public")
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def units(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_instant(text):
    found = INSTANT.fullmatch(text)
    if not found:
        return False
    year, month, day, hour, minute, second = map(int, found.groups())
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= month <= 12 and 1 <= day <= DAYS[month - 1] + leap and hour <= 23 and minute <= 59 and second <= 59


def is_authority(text):
    return len(text) <= 259 and bool(AUTHORITY.fullmatch(text))


def is_node_id(text):
    return text.startswith(SCHEME) and is_authority(text[len(SCHEME):])


def is_feed_name(text):
    return text != "" and not has_control(text)


def is_feed(text):
    """One of the feeds that there are."""
    parts = text.split("/")
    if len(text) > 300 or len(parts) > 3:
        return False
    if parts[0] == "from":
        return len(parts) == 3 and is_authority(parts[1]) and parts[2] in SCOPES
    return parts[0] in SCOPES and (len(parts) == 1 or (len(parts) == 2 and bool(GARDEN.fullmatch(parts[1]))))


def is_key_name(text):
    return bool(KEY_NAME.fullmatch(text))


def is_hash(text):
    raw = unb64(text)
    return raw is not None and len(raw) == 32


def is_digest(text):
    return bool(DIGEST.fullmatch(text))


def number(text):
    found = decimal(text)
    demand(found is not None, "number")
    return found


def lines_of(text, title, count):
    """The lines behind the title; `count` with it, None for any number."""
    found = text.split("\n")
    demand(found[0] == title and found[-1] == "" and (count is None or len(found) == count + 1), "lines")
    return found[1:-1]


def log_key_id(origin, key):
    return hashlib.sha256(origin.encode() + b"\n\x01" + key).digest()[:4]


def signed_by(text, signatures, origin, key):
    ours = [signature for name, id_, signature in signatures if name == origin and id_ == log_key_id(origin, key)]
    demand(ours and all(ed25519(key, text.encode(), signature) for signature in ours), "signature")


def opened(note, most, read, origin, key):
    """A text in JSON, bounded in its units."""
    demand(units(note) <= most, "size")
    text, signatures = parse_note(note.encode())
    said, signer = read(text)
    demand(signer == origin, "origin")
    signed_by(text, signatures, origin, key)
    return said


def page_note(data, origin, key):
    demand(len(data) <= 4096, "size")
    text, signatures = parse_note(data)
    named, receiver, feed, after, to, size, header, entries, proof = lines_of(text, "stigmem-page/v1", 10)
    demand(is_key_name(named) and is_node_id(receiver) and is_feed_name(feed), "names")
    after, to, size = number(after), number(to), number(size)
    demand(to >= after and is_hash(header) and all(one == "-" or is_hash(one) for one in (entries, proof)), "page")
    demand(named == origin, "origin")
    signed_by(text, signatures, origin, key)
    return [named, receiver, feed, after, to, size, header, entries, proof]


def receipt(text):
    receiver, sender, feed, after, to, accepted, refused, page = lines_of(text, "stigmem-receipt/v1", 9)
    demand(is_key_name(receiver) and is_key_name(sender) and is_feed_name(feed) and is_hash(page), "names")
    after, to, accepted, refused = number(after), number(to), number(accepted), number(refused)
    demand(to > after and accepted + refused <= to - after, "numbers")
    return [receiver, sender, feed, after, to, accepted, refused, page], receiver


def closure(text):
    origin, receiver, feed, to, size, end, reason = lines_of(text, "stigmem-closure/v1", 8)
    demand(is_key_name(origin) and is_node_id(receiver) and is_feed(feed) and reason == "grant_expired", "names")
    to, size = number(to), number(size)
    demand(to <= size and is_instant(end), "end")
    return [origin, receiver, feed, to, size, end, reason], origin


def permit(text):
    origin, relay, feed, hops, issued, end = lines_of(text, "stigmem-relay/v1", 7)
    demand(is_key_name(origin) and is_node_id(relay) and feed == "public" and hops == "1", "names")
    demand(is_instant(issued) and is_instant(end) and issued < end, "times")
    return [origin, relay, issued, end], origin


def erasure(text):
    receiver, author, feed, seq, leaf, at = lines_of(text, "stigmem-erasure/v1", 7)
    demand(is_key_name(receiver) and is_node_id(author) and is_feed_name(feed), "names")
    seq = number(seq)
    demand(seq >= 1 and is_digest(leaf) and is_instant(at), "fact")
    return [receiver, author, feed, seq, leaf, at], receiver


def shown(value):
    return null_or(text_of(128))(value)


def is_difference(value):
    return bool(members(value, claimed=shown, computed=shown, field=text_of(128)))


def from_one(value):
    return is_count(value) and value >= 1


def is_digest_text(value):
    return isinstance(value, str) and is_digest(value)


def refused_entry(line):
    return members(
        strict(line.encode(), 16_384), at=lambda one: isinstance(one, str) and is_instant(one), chain_seq=null_or(from_one),
        cid=null_or(is_digest_text), difference=null_or(is_difference), evidence=null_or(is_digest_text),
        feed_seq=null_or(from_one))


def refusal(text):
    demand(len(text.encode()) <= 15_872, "size of the text")
    found = lines_of(text, "stigmem-refusal/v1", None)
    demand(len(found) >= 8, "lines")
    origin, author, feed, reason, count, refused, resolved, at = found[:8]
    demand(is_key_name(origin) and is_node_id(author) and is_feed(feed) and REASON.fullmatch(reason), "names")
    count, refused, resolved = number(count), number(refused), number(resolved)
    demand(count >= 1 and refused >= 1 and resolved <= refused and is_instant(at), "counts")
    named = [refused_entry(line) for line in found[8:]]
    demand(len(named) <= min(32, refused - resolved), "entries")
    return [origin, author, feed, reason, count, refused, resolved, at, named], origin


def export_digest(data, origin, key):
    text, signatures = parse_note(data)
    node, records, head, root, *sinks = lines_of(text, "stigmem-export-digest/v1", None)
    words = records.split(" ")
    demand(is_node_id(node) and len(words) == 3 and words[0] == "records", "records")
    demand(head.startswith("head ") and is_digest(head[5:]) and root.startswith("root ") and is_hash(root[5:]), "head")
    found = [SINK.fullmatch(line) for line in sinks]
    demand(all(found), "sinks")
    said = [node, number(words[1]), number(words[2]), head[5:], root[5:], [[one[1], number(one[2]), one[3]] for one in found]]
    signed_by(text, signatures, origin, key)
    return said


BY_LOG = {
    "receipt": (4096, receipt), "closure": (4096, closure), "permit": (4096, permit), "erasure": (4096, erasure),
    "refusal": (16_384, refusal),
}


def statement(kind, note, origin, key):
    most, read = BY_LOG[kind]
    return opened(note, most, read, origin, key)
