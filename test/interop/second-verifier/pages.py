"""Pages as third parties have them: frames, own and relayed; and what the origin of relayed facts has signed."""
import hashlib

import entry as entries
import names
import page as peer_page
from documents import list_of, one_of, up_to
from notes import Refused, demand, open_checkpoint
from statements import is_hash, page_note, statement
from strict_json import is_count, members, null_or, only, strict, text_of
from tree import fold_page, leaf_hash

NOTE, COUNT = text_of(16_384), is_count
HASH = lambda value: isinstance(value, str) and is_hash(value)  # noqa: E731
STAND_IN = b'{"path":'


def is_origin_entry(value):
    return bool(members(value, created_at=text_of(256), feed_seq=up_to(2**53, 1), previous_hash=null_or(HASH), salt=HASH))


def is_batch(value):
    return bool(members(
        value, checkpoint=text_of(2048), places=list_of(up_to(255), 256), proof=list_of(HASH, 8192)))


def is_origins(value):
    return bool(members(
        value, batches=list_of(is_batch, 256), entries=list_of(null_or(is_origin_entry), 256), permit=text_of(4096),
        successions=list_of(text_of(4096), 8)))


HEADER = {
    "after": COUNT, "anchor": null_or(text_of(65_536)), "checkpoint": NOTE, "consistency": null_or(list_of(HASH, 64)),
    "encoding": one_of("zstd", "identity"), "entries_bytes": up_to(4_194_304), "feed": text_of(256), "feed_head": NOTE,
    "indexes": list_of(COUNT, 4096), "lengths": list_of(up_to(4_194_304), 4096), "proof_hashes": up_to(131_072),
}


def read_header(data):
    header = strict(data, 2_097_152)
    demand(isinstance(header, dict), "object")
    relayed = header.get("v") == 2
    demand(relayed or len(data) <= 393_216, "size")
    members(header, **HEADER, **({"origins": is_origins} if relayed else {}), v=only(2 if relayed else 1))
    indexes, lengths = header["indexes"], header["lengths"]
    demand(len(indexes) == len(lengths) and all(a < b for a, b in zip(indexes, indexes[1:])), "indexes")
    demand(header["entries_bytes"] == sum(lengths) + 46 * len(lengths), "entries_bytes")
    demand(bool(indexes) or (header["proof_hashes"] == 0 and header["encoding"] == "identity"), "empty page")
    demand(relayed == header["feed"].startswith("from/"), "feed")
    if relayed:
        items = header["origins"]["entries"]
        demand(len(items) == len(indexes), "origins")
        demand(all(item is None for item, length in zip(items, lengths) if length == 0), "withheld")
        places = [place for batch in header["origins"]["batches"] for place in batch["places"]]
        demand(len(set(places)) == len(places), "places")
    return header


class Page:
    """Frames: header, entries, proof, note; None for one that is not there."""

    def __init__(self, frames):
        self.frames = frames
        header, body, proof, self.note = frames
        self.header = read_header(header)
        proof = proof or b""
        demand((frames[2] is None) == (self.header["proof_hashes"] == 0), "proof frame")
        demand(len(proof) == 32 * self.header["proof_hashes"], "proof")
        demand((body is None) == (not self.header["indexes"]), "entries frame")
        self.proof = [proof[at:at + 32] for at in range(0, len(proof), 32)]
        try:
            self.lines = peer_page.read_entries(body, self.header) if body is not None else []
        except names.Refused as refused:
            raise Refused(refused.detail) from refused
        self.leaves = [self.leaf(*line) for line in self.lines]

    def is_withheld(self, data):
        return self.header["v"] == 2 and data == b""

    def leaf(self, salt, data):
        return salt if self.is_withheld(data) or data.startswith(STAND_IN) else leaf_hash(salt, data)

    def holds(self, size, root):
        return bool(self.lines) and fold_page(size, self.header["indexes"], self.leaves, self.proof) == root

    def signed_for(self, origin, key):
        """What the page's note says, if it is signed over these very frames."""
        if self.note is None:
            return None
        try:
            said = page_note(self.note, origin, key)
        except Refused:
            return None
        hashes = ["-" if one is None else names.b64(hashlib.sha256(one).digest()) for one in self.frames[:3]]
        return said if said[6:] == hashes else None


def read_entry(data):
    try:
        return entries.decode_entry(data)
    except names.Refused:
        return None


def feed_of(entry):
    """By the journal's own rule; None where there is no such feed."""
    origin = entry["origin"]
    if origin is None:
        return entries.feed_of(entry) if entry["scope"] in ("local", "team", "company", "public") else None
    authority = names.authority_of(origin["node_id"]) or origin["node_id"]
    is_known = entry["scope"] in ("local", "team", "company", "public") and names.authority_of(f"stigmem://{authority}") == authority
    return f"from/{authority}/{entry['scope']}" if is_known else None


def origin_leaf(entry, item):
    """The leaf of the same fact in the log of whoever asserted it."""
    previous = item["previous_hash"]
    own = {
        **entry, "chain_seq": entry["origin"]["chain_seq"], "created_at": item["created_at"], "feed_seq": item["feed_seq"],
        "origin": None, "previous_hash": None if previous is None else f"sha256:{names.unb64(previous).hex()}",
        "received_from": None,
    }
    own["chain_hash"] = entries.chain_hash_of(own)
    return leaf_hash(names.unb64(item["salt"]), entries.python_json(own).encode())


def check_relayed(frames, relay, origin):
    """
    Each place of a relay's page: `taken`, `withheld`, `unreadable` or what is wrong. The permit has to be the origin's, for this relay.

    `relay` and `origin`: node id, journal, log key.
    """
    page = Page(frames)
    node, journal, key = relay
    size, root = open_checkpoint(page.header["checkpoint"].encode(), journal, key)
    demand(page.signed_for(journal, key) is not None and page.holds(size, root), "page of the relay")
    shown = page.header["origins"]
    _, permitted, _, _ = statement("permit", shown["permit"], origin[1], origin[2])
    demand(permitted == node, "permit")
    proved = {place for batch in shown["batches"] for place in proved_by(batch, page, origin)}
    return [place_of(page, place, data, proved, origin) for place, (_, data) in enumerate(page.lines)]


def proved_by(batch, page, origin):
    """The places of a batch, if its checkpoint is the origin's and its proof leads there; else none."""
    named = [read_entry(page.lines[place][1]) if place < len(page.lines) else None for place in batch["places"]]
    claims = [entry["origin"] if entry is not None else None for entry in named]
    if not claims or any(claim is None or claim["node_id"] != origin[0] for claim in claims):
        return []
    try:
        size, root = open_checkpoint(batch["checkpoint"].encode(), origin[1], origin[2])
    except Refused:
        return []
    indexes = [claim["chain_seq"] - 1 for claim in claims]
    if any(a >= b for a, b in zip([-1, *indexes], indexes)) or indexes[-1] >= size:
        return []
    leaves, proof = [names.unb64(claim["leaf_hash"]) for claim in claims], [names.unb64(one) for one in batch["proof"]]
    return batch["places"] if fold_page(size, indexes, leaves, proof) == root else []


def place_of(page, place, data, proved, origin):
    item, entry = page.header["origins"]["entries"][place], read_entry(data)
    if page.is_withheld(data):
        return "withheld"
    if entry is None:
        return "unreadable"
    if entry["scope"] != "public" or entry["garden_id"] is not None:
        return "scope_escalated"
    claim = entry["origin"]
    is_named = claim is not None and claim["node_id"] == origin[0] and entry["received_from"] == origin[0] and item is not None
    if not is_named or names.b64(origin_leaf(entry, item)) != claim["leaf_hash"] or place not in proved:
        return "origin_proof_invalid"
    return "taken"
