"""The rules of a page, in the order in which the protocol has them."""
import re
from dataclasses import dataclass, field

from entry import COMPARED, chain_hash_of, check_entry, check_repeat, decode_entry, is_instruction
from messages import decode, is_count, open_checkpoint, open_feed_head, open_note, page_note_text
from names import Refused, unb64
from tree import EMPTY_ROOT, extends, fold_page, is_included, leaf_hash

try:
    import zstandard
except ImportError:  # the peer is asked for `identity` then
    zstandard = None

MEMBERS = ["after", "anchor", "checkpoint", "consistency", "encoding", "entries_bytes", "feed", "feed_head", "indexes",
           "lengths", "proof_hashes", "v"]


# An entry never begins like this: its first member is `attestation`.
STAND_IN = b'{"path":'
TOMBSTONE = re.compile(r'\{"fact":"sha256:[0-9a-f]{64}","feed_seq":(\d+),"leaf_hash":"sha256:([0-9a-f]{64})","leaf_index":(\d+),"v":1\}')
ERASED = object()


@dataclass
class Rules:
    """What the puller knows when a page comes."""
    self: str
    origin: str
    log_key: bytes
    namespaces: list
    accept: list
    feed: str
    after: int
    known: tuple | None
    known_length: int
    before: tuple | None
    now_ms: int
    first: bool
    seen: dict
    max_value_bytes: int = 65_536


@dataclass
class Verified:
    size: int = 0
    root: bytes = b""
    length: int = 0
    after: int = 0
    folded: bool = False
    entries: list = field(default_factory=list)
    leaves: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    duplicates: int = 0
    quarantined: int = 0
    before: tuple | None = None


def malformed(condition, detail):
    if not condition:
        raise Refused("page_malformed", detail)


def read_header(data):
    malformed(len(data) <= 393_216, "header size")
    header = decode(data, MEMBERS, "header")
    indexes, lengths = header["indexes"], header["lengths"]
    anchor = header["anchor"]
    malformed(anchor is None or isinstance(anchor, str) and 0 < len(anchor) <= 65_536, "anchor")
    malformed(header["encoding"] in ("zstd", "identity"), "encoding")
    malformed(isinstance(indexes, list) and isinstance(lengths, list), "lists")
    malformed(len(indexes) == len(lengths) <= 4096, "counts")
    malformed(all(map(is_count, indexes)) and all(is_count(n, 0, 4_194_304) for n in lengths), "numbers")
    malformed(all(a < b for a, b in zip(indexes, indexes[1:])), "order of indexes")
    malformed(is_count(header["entries_bytes"], 0, 4_194_304) and is_count(header["after"]), "numbers")
    malformed(header["entries_bytes"] == sum(lengths) + 46 * len(lengths), "entries_bytes")
    malformed(is_count(header["proof_hashes"], 0, 131_072), "proof_hashes")
    malformed(bool(indexes) or (header["proof_hashes"] == 0 and header["encoding"] == "identity"), "empty page")
    for key, most in (("checkpoint", 16_384), ("feed_head", 16_384), ("feed", 256)):
        malformed(isinstance(header[key], str) and 0 < len(header[key]) <= most, key)
    path = header["consistency"]
    if path is not None:
        hashes = [unb64(one) for one in path] if isinstance(path, list) and len(path) <= 64 else [None]
        malformed(all(one is not None and len(one) == 32 for one in hashes), "consistency")
        header["consistency"] = hashes
    return header


def unpacked(frame, size):
    """Bounded first, so that a bomb costs nothing; then again, to see that it is one frame and nothing behind it."""
    decoder = zstandard.ZstdDecompressor(max_window_size=1 << 23)
    try:
        malformed(len(decoder.stream_reader(frame).read(size + 1)) == size, "length of the entries")
        whole = decoder.decompressobj()
        content = whole.decompress(frame)
    except zstandard.ZstdError as cause:
        raise Refused("page_malformed", str(cause)) from cause
    malformed(whole.eof and not whole.unused_data, "more or less than one zstd frame")
    return content


def read_entries(frame, header):
    """(salt, entry bytes) of each entry."""
    if header["encoding"] == "zstd":
        malformed(zstandard is not None, "zstd was not asked for")
        frame = unpacked(frame, header["entries_bytes"])
    malformed(len(frame) == header["entries_bytes"], "length of the entries")
    found, at = [], 0
    for length in header["lengths"]:
        salt = unb64(frame[at:at + 44].decode("latin1"))
        malformed(salt is not None and len(salt) == 32, "salt")
        malformed(frame[at + 44:at + 45] == b" " and frame[at + 45 + length:at + 46 + length] == b"\n", "separators")
        found.append((salt, frame[at + 45:at + 45 + length]))
        at += 46 + length
    return found


def check_checkpoint(header, rules):
    size, root = open_checkpoint(header["checkpoint"], rules.origin, rules.log_key)
    known_size, known_root = rules.known or (0, EMPTY_ROOT)
    if size < known_size:
        raise Refused("checkpoint_rollback", f"{size} after {known_size}")
    if size == known_size and root != known_root:
        raise Refused("checkpoint_split_view")
    path = header["consistency"]
    malformed((path is not None) == rules.first, "consistency")
    if path is None:
        malformed(size == known_size, "another checkpoint inside of one answer")
    elif not extends(known_size, known_root, size, root, path):
        raise Refused("consistency_proof_invalid")
    return size, root


def check_head(header, size, rules):
    feed, length, at, last = open_feed_head(header["feed_head"], rules.origin, rules.log_key)
    if feed != rules.feed or at != size:
        raise Refused("feed_head_mismatch", "another feed or size")
    here = rules.after + len(header["indexes"])
    if length < max(here, rules.known_length) or (not header["indexes"] and length > rules.after):
        raise Refused("feed_head_mismatch", f"length {length}")
    return length, last


def check_positions(header, entries, leaves, included, head):
    length, last = head
    for place, entry in enumerate(entries):
        if entry is None or not included[place]:
            continue
        if entry["feed_seq"] != header["after"] + 1 + place or entry["chain_seq"] != header["indexes"][place] + 1:
            raise Refused("feed_gap", f"entry {place}")
    count = len(entries)
    if count and header["after"] + count == length and included[-1] and leaves[-1] != last:
        raise Refused("feed_head_mismatch", "last leaf")


def check_note(frames, rules):
    """The sender signed these very frames, for us. What else it says is held against the header later."""
    try:
        text = open_note(frames[3].decode("utf-8"), rules.origin, rules.log_key)
    except UnicodeDecodeError:
        text = None
    malformed(text, "page note")
    lines = text.split("\n")
    hashes = page_note_text("", "", "", 0, 0, 0, frames[:3]).split("\n")[7:]
    malformed(lines[2] == rules.self and lines[7:] == hashes, "page note of other bytes")
    return text


def check_page(frames, rules, ask_paths):
    """Judges a page; `ask_paths(indexes, size)` gives inclusion paths, or None, when the page proof does not hold."""
    malformed(len(frames) == 4, "no page note")
    header = read_header(frames[0])
    noted = check_note(frames, rules)
    proof = frames[2] or b""
    malformed(len(proof) == 32 * header["proof_hashes"], "proof")
    malformed((frames[1] is None) == (not header["indexes"]), "entries frame")
    pairs = read_entries(frames[1], header) if header["indexes"] else []
    malformed(header["feed"] == rules.feed, "feed")
    size, root = check_checkpoint(header, rules)
    to = header["after"] + len(header["indexes"])
    expected = page_note_text(rules.origin, rules.self, header["feed"], header["after"], to, size, frames[:3])
    malformed(noted == expected, "page note of another page")
    if header["after"] != rules.after or (header["indexes"] and header["indexes"][-1] >= size):
        raise Refused("feed_gap", "range")

    for place, (leaf, data) in enumerate(pairs):
        if data.startswith(STAND_IN):
            check_erased(data, leaf, header["indexes"][place], header["after"] + 1 + place, size, root, rules)
    leaves = [salt if entry.startswith(STAND_IN) else leaf_hash(salt, entry) for salt, entry in pairs]
    readings = [ERASED if entry.startswith(STAND_IN) else read(entry) for _, entry in pairs]
    entries = [reading if isinstance(reading, dict) else None for reading in readings]
    hashes = [proof[at:at + 32] for at in range(0, len(proof), 32)]
    folded = not pairs or fold_page(size, header["indexes"], leaves, hashes) == root
    head = check_head(header, size, rules)
    included = [folded] * len(pairs)
    if not folded:
        paths = ask_paths(header["indexes"], size) or [None] * len(pairs)
        included = [path is not None and is_included(leaf, index, size, path, root)
                    for path, leaf, index in zip(paths, leaves, header["indexes"])]
    check_positions(header, entries, leaves, included, head)
    result = Verified(size=size, root=root, length=head[0], after=rules.after + len(pairs), folded=folded, before=rules.before)
    result.leaves = leaves
    judge(readings, included, rules, result)
    return result


def check_erased(data, leaf, index, feed_seq, size, root, rules):
    """The body may be missing if the author's tombstone for this very leaf is in the tree of the page, and in its feed."""
    def proven(condition, detail):
        if not condition:
            raise Refused("erasure_unproven", detail)

    try:
        stand_in = decode(data, ["path", "salt", "tombstone", "v"], "stand-in")
        tombstone = decode_entry(stand_in["tombstone"].encode())
    except (Refused, AttributeError) as cause:
        raise Refused("erasure_unproven", "stand-in") from cause
    node = "stigmem://" + rules.origin.split("/journal/")[0]
    said = TOMBSTONE.fullmatch(tombstone["value_v"])
    proven(said and tombstone["relation"] == "stigmem:tombstone" and tombstone["origin"] is None, "no tombstone")
    proven(tombstone["source"] == node and tombstone["entity"] == f"{node}/tombstone/{said[3]}", "not the author")
    feed = tombstone["scope"] + (f"/{tombstone['garden_id']}" if tombstone["garden_id"] else "")
    proven(feed == rules.feed, "another feed")
    proven(bytes.fromhex(said[2]) == leaf and int(said[3]) == index and int(said[1]) == feed_seq, "another entry")
    proven(index < tombstone["chain_seq"] - 1 and feed_seq < tombstone["feed_seq"], "before the entry")
    path, salt = [unb64(one) for one in stand_in["path"]], unb64(stand_in["salt"])
    proven(salt is not None and all(one is not None and len(one) == 32 for one in path), "path")
    own = leaf_hash(salt, stand_in["tombstone"].encode())
    proven(is_included(own, tombstone["chain_seq"] - 1, size, path, root), "not in the tree")


def judge(readings, included, rules, result):
    for place, reading in enumerate(readings):
        try:
            if reading is ERASED:
                if not included[place]:
                    raise Refused("inclusion_proof_invalid")
                continue
            if isinstance(reading, Refused):
                raise Refused("inclusion_proof_invalid") if reading.reason == "cid_missing" and not included[place] else reading
            if not included[place]:
                raise Refused("inclusion_proof_invalid")
            before = result.before
            result.before = (reading["chain_seq"], reading["chain_hash"])
            check_entry(reading, before, rules)
            if check_repeat(reading, rules.seen):
                result.duplicates += 1
                continue
            rules.seen[reading["fact_id"]] = {key: reading[key] for key in COMPARED}
            result.entries.append(reading)
            result.quarantined += is_instruction(reading)
        except Refused as refused:
            if refused.reason == "chain_hash_mismatch":
                result.before += (chain_hash_of(reading),)
            result.refused.append({"feed_seq": rules.after + 1 + place, "reason": refused.reason})


def read(data):
    try:
        return decode_entry(data)
    except Refused as refused:
        return refused
