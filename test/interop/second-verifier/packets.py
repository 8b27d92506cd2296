"""Evidence of every form, and the packets that it travels in: docs/journal-format.md."""
import hashlib
import re

import entry as entries
from documents import list_of, log_keys, own_declaration
from evidence import first_tree
from names import unb64
from notes import Refused, demand, open_checkpoint, parse_feed_head, parse_note
from pages import STAND_IN, Page, feed_of, read_entry
from statements import is_hash, signed_by
from strict_json import is_count, members, null_or, only, strict, text_of
from tree import is_included, leaf_hash

WORD, NOTE = text_of(512), text_of(131_072)
NAME = re.compile("(?:[a-z0-9][a-z0-9._-]*/)?[A-Za-z0-9][A-Za-z0-9._-]*")
BLOCK = 512


def anything(_):
    return True


def raw_of(most):
    def check(value):
        data = unb64(value) if isinstance(value, str) else None
        return data is not None and len(data) <= most
    return check


def is_hash_text(value):
    return isinstance(value, str) and is_hash(value)


PATH = list_of(is_hash_text, 64)


def is_peer(value):
    return bool(members(value, log_key=is_hash_text, node_id=WORD, origin=WORD))


def is_known(value):
    return bool(members(value, note=NOTE, root=is_hash_text, size=is_count))


COMMON = {
    "class": lambda one: one in ("accusation", "contradiction"), "event": WORD, "peer": is_peer, "reason": WORD, "v": only(1),
}
REFUSAL = {
    **COMMON, "checkpoint": null_or(NOTE), "claimed": anything, "computed": anything, "feed": anything,
    "feed_head": null_or(NOTE), "first_difference": anything,
}
FRAME = null_or(raw_of(4_194_304))


def is_page(value):
    noted = {"note": FRAME} if isinstance(value, dict) and "note" in value else {}
    return bool(members(value, entries=FRAME, header=raw_of(4_194_304), proof=FRAME, **noted))


def is_fact(value):
    noted = {"note": FRAME} if "note" in value else {}
    return bool(members(
        value, entry=raw_of(4_194_304), inclusion=null_or(PATH), index=is_count, salt=raw_of(32), **noted))


def is_proved(value):
    return bool(members(
        value, checkpoint=NOTE, entry=raw_of(4_194_304), inclusion=PATH, index=is_count, salt=is_hash_text))


def read_evidence(data):
    said = strict(data, 16_777_216)
    demand(isinstance(said, dict), "object")
    if said.get("kind") == "checkpoints":
        form = {**COMMON, "kind": anything, "notes": list_of(NOTE, 2), "path": null_or(PATH), "seen_from": WORD}
    elif said.get("kind") == "entries":
        form = {**COMMON, "entries": list_of(is_proved, 2), "kind": anything, "seen_from": anything}
    elif isinstance(said.get("received"), dict) and "entry" in said["received"]:
        form = {**REFUSAL, "known": anything, "received": is_fact}
    else:
        form = {**REFUSAL, "known": null_or(is_known), "received": is_page}
    return members(said, **form)


class Log:
    def __init__(self, peer):
        self.node, self.origin, self.key = peer["node_id"], peer["origin"], unb64(peer["log_key"])

    def head(self, note):
        try:
            return open_checkpoint(note.encode(), self.origin, self.key)
        except Refused:
            return None

    def feed_head(self, note):
        """(feed, length, size, last leaf)"""
        try:
            text, lines = parse_note(note.encode())
            demand(parse_feed_head(text) == self.origin, "origin")
            signed_by(text, lines, self.origin, self.key)
        except Refused:
            return None
        found = text.split("\n")
        return found[2], int(found[3]), int(found[4]), None if found[5] == "-" else unb64(found[5])


def judge(data, declaration=None, page=None):
    """The class of the contradiction; None for an accusation. Refused: it shows nothing."""
    said = read_evidence(data)
    log = Log(said["peer"])
    if declaration is not None:
        declared = own_declaration(declaration)
        demand(declared["node_id"] == log.node and declared["journal_origin"] == log.origin, "declaration")
        demand(log.key in log_keys(declared, log.origin), "declared key")
    if said.get("kind") == "checkpoints":
        return between(*said["notes"], said["path"], log) if len(said["notes"]) == 2 else None
    if said.get("kind") == "entries":
        return between_entries(said["entries"], log)
    if "entry" in said["received"]:
        return in_fact(said, log) or beside(said, log, page)
    return in_page(said, log)


def between(first, second, path, log):
    heads = [log.head(first), log.head(second)]
    if None in heads:
        return None
    (old, old_root), (new, new_root) = sorted(heads, key=lambda head: head[0])
    if old == new:
        return "a" if old_root != new_root else None
    if path is None or old == 0:
        return None
    shown = first_tree(old, new, [unb64(one) for one in path], old_root, new_root)
    return "b" if shown is not None and shown != old_root else None


def proved(checkpoint, received, log):
    """(entry, leaf, index, size) of an entry in a signed tree."""
    head, salt, data = log.head(checkpoint), unb64(received["salt"]), unb64(received["entry"])
    if head is None or len(salt) != 32:
        return None
    size, root = head
    leaf = leaf_hash(salt, data)
    path = [unb64(one) for one in received["inclusion"]]
    return (read_entry(data), leaf, received["index"], size) if is_included(leaf, received["index"], size, path, root) else None


def between_entries(both, log):
    found = [proved(one["checkpoint"], one, log) for one in both]
    if len(found) != 2 or None in found or found[0][1] == found[1][1]:
        return None
    if found[0][2] == found[1][2]:
        return "c"
    return doubled(found[0][0], found[1][0])


def doubled(one, two):
    if one is None or two is None or feed_of(one) is None:
        return None
    return "c" if feed_of(one) == feed_of(two) and one["feed_seq"] == two["feed_seq"] else None


def wrong_cid(entry):
    if entry is None or not entries.HASH.fullmatch(entry["cid"]):
        return None
    return "d" if entries.cid_of(entry) != entry["cid"] else None


def denied(entry, leaf, size, note, log):
    head = None if note is None else log.feed_head(note)
    if entry is None or head is None or feed_of(entry) != head[0] or size != head[2]:
        return None
    if entry["feed_seq"] > head[1]:
        return "c"
    return "c" if entry["feed_seq"] == head[1] and head[3] is not None and head[3] != leaf else None


def in_fact(said, log):
    received = said["received"]
    if said["checkpoint"] is None or received["inclusion"] is None:
        return None
    found = proved(said["checkpoint"], received, log)
    if found is None:
        return None
    entry, leaf, _, size = found
    return wrong_cid(entry) or denied(entry, leaf, size, said["feed_head"], log)


def open_page(frames):
    try:
        return Page(frames)
    except Refused:
        return None


def in_page(said, log):
    received = said["received"]
    page = open_page([None if received.get(name) is None else unb64(received[name]) for name in ("header", "entries", "proof", "note")])
    if page is None:
        return None
    header, known = page.header, said["known"]["note"] if said["known"] else None
    found = between(known, header["checkpoint"], header["consistency"], log) if known else None
    return found or anchored(header, known, log) or in_tree(page, log) or in_signed(page, log)


def anchored(header, known, log):
    try:
        receipt = strict((header["anchor"] or "").encode(), 262_144)
    except Refused:
        return None
    demand_members = {"backend", "checkpoint", "entry", "integrated_time", "leaf_hash", "log_id", "log_index", "tree_size", "v"}
    if not isinstance(receipt, dict) or set(receipt) != demand_members or not isinstance(receipt["checkpoint"], str):
        return None
    notes = [header["checkpoint"]] + ([known] if known else [])
    return next((found for note in notes if (found := between(receipt["checkpoint"], note, None, log))), None)


def in_tree(page, log):
    head = log.head(page.header["checkpoint"])
    if head is None or not page.holds(*head):
        return None
    before = {}
    for (_, data), leaf in zip(page.lines, page.leaves):
        entry = None if data.startswith(STAND_IN) else read_entry(data)
        if entry is None:
            continue
        place = feed_of(entry), entry["feed_seq"]
        found = (wrong_cid(entry) or denied(entry, leaf, head[0], page.header["feed_head"], log)
                 or (doubled(before[place], entry) if place in before else None))
        if found:
            return found
        before[place] = entry
    return None


def in_signed(page, log):
    if page.signed_for(log.origin, log.key) is None:
        return None
    return next((found for _, data in page.lines if (found := wrong_cid(read_entry(data)))), None)


def beside(said, log, frames):
    page = open_page(frames) if frames else None
    received = said["received"]
    if page is None or received["index"] not in page.header["indexes"]:
        return None
    _, data = page.lines[page.header["indexes"].index(received["index"])]
    if data != unb64(received["entry"]) or page.signed_for(log.origin, log.key) is None:
        return None
    return wrong_cid(read_entry(data))


def header_of(name, size):
    head = bytearray(BLOCK)
    head[0:len(name)] = name.encode()
    head[100:124] = b"0000644\0" + b"0000000\0" * 2
    head[124:148] = f"{size:011o}\0".encode() + b"00000000000\0"
    head[148:156] = b" " * 8
    head[156:157] = b"0"
    head[257:265] = b"ustar\0" + b"00"
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    return bytes(head)


def read_tar(data):
    files, at = {}, 0
    while at + BLOCK <= len(data) and data[at] != 0:
        head = data[at:at + BLOCK]
        name, digits = head[:100].rstrip(b"\0").decode("latin1"), head[124:135].decode("latin1")
        demand(NAME.fullmatch(name) and re.fullmatch("[0-7]{11}", digits), "header")
        size = int(digits, 8)
        demand(header_of(name, size) == head and name not in files and len(files) < 64, "header")
        start, end = at + BLOCK, at + BLOCK + size
        at = start + -(-size // BLOCK) * BLOCK
        demand(at <= len(data) and not any(data[end:at]), "cut")
        files[name] = data[start:end]
    demand(data[at:] == bytes(2 * BLOCK), "end")
    return files


def judge_packet(data):
    files = read_tar(data)
    demand("evidence.json" in files, "evidence.json")
    evidence = files["evidence.json"]
    peer = files.get("peer.json")
    pinned = None if peer is None else members(
        strict(peer, 4_194_304), declaration=null_or(NOTE), key_statements=list_of(NOTE, 64), pinned_at=null_or(text_of(64)),
        pinned_by=null_or(is_count), v=only(1))
    if "record.json" in files:
        check_record(files["record.json"], evidence)
    frames = [files.get(f"page/{name}") for name in ("header.bin", "entries.bin", "proof.bin", "note.txt")]
    return judge(evidence, pinned and pinned["declaration"], frames if frames[0] is not None else None)


def check_record(data, evidence):
    record = members(
        strict(data, 4_194_304), body=text_of(262_144), checkpoint=NOTE, declaration=NOTE, inclusion=PATH, index=is_count,
        salt=is_hash_text, v=only(1))
    body = strict(record["body"].encode(), 1_048_576)
    demand(isinstance(body, dict) and body.get("evidence") == f"sha256:{hashlib.sha256(evidence).hexdigest()}", "other evidence")
    demand(type(body.get("seq")) is int and body["seq"] == record["index"] + 1, "place of the record")
    declared = own_declaration(record["declaration"])
    origin, leaf = declared["audit_origin"], leaf_hash(unb64(record["salt"]), record["body"].encode())
    path = [unb64(one) for one in record["inclusion"]]
    for key in log_keys(declared, origin) + log_keys(declared, declared["journal_origin"]):
        try:
            size, root = open_checkpoint(record["checkpoint"].encode(), origin, key)
        except Refused:
            continue
        if is_included(leaf, record["index"], size, path, root):
            return
    raise Refused("record")
