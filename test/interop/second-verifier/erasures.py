"""Proofs that a fact was erased: docs/journal-format.md, erasure proof and tombstones."""
from bundles import Trust, check_bundle
from documents import list_of
from names import SCHEME, decimal, unb64
from notes import demand
from page import TOMBSTONE
from pages import feed_of
from statements import is_hash, is_node_id
from strict_json import members, only, strict, text_of
from tree import is_included


def read_tombstone(text):
    """(place in the feed, leaf hash in hex, leaf index); None for another text."""
    found = TOMBSTONE.fullmatch(text)
    if not found or found[1].startswith("0") or decimal(found[1]) is None or decimal(found[3]) is None:
        return None
    return int(found[1]), found[2], int(found[3])


def tombstone_of(entry, node):
    said = read_tombstone(entry["value_v"])
    bare = (entry["origin"], entry["valid_until"], entry["attestation"]) == (None, None, None) and not entry["derived_from"]
    named = entry["relation"] == "stigmem:tombstone" and entry["source"] == node
    plain = (entry["value_type"], entry["confidence"], entry["interpret_as"]) == ("text", "1.0", "content")
    if said is None or not (bare and named and plain) or entry["entity"] != f"{node}/tombstone/{said[2]}":
        return None
    return said if said[2] < entry["chain_seq"] - 1 and said[0] < entry["feed_seq"] else None


def check_erasure(data, trusted):
    proof = members(
        strict(data, 4_194_304), kind=only("stigmem-erasure-proof/v1"),
        path=list_of(lambda one: isinstance(one, str) and is_hash(one), 53), tombstone=text_of(2_097_152))
    entry, origin, size, root = check_bundle(proof["tombstone"].encode(), trusted)
    trust = Trust(trusted)
    is_given = any(key[0] == origin for key in trust.logs)
    node = SCHEME + origin.split("/")[0] if is_given else trust.owner(origin)[0]
    demand(is_node_id(node), "owner")
    said = tombstone_of(entry, node)
    demand(said is not None and feed_of(entry) is not None, "no tombstone of the log's node")
    place, leaf, index = said
    demand(is_included(bytes.fromhex(leaf), index, size, [unb64(one) for one in proof["path"]], root), "what it names is not there")
    return [place, leaf, index, feed_of(entry)]
