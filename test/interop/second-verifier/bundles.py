"""Fact bundles, and what a reader trusts: docs/PROTOCOL.md, docs/client.md, docs/journal-format.md."""
import hashlib

import entry as entries
import names
from anchors import check_receipt, read_receipt, read_root
from names import key_of_peer_id, unb64
from notes import ECDSA, ED25519, Refused, demand, parse_tlog_proof, read_vkey, verify_note
from policy import check_reader, parse_policy, vkey_of
from strict_json import members, null_or, only, strict, text_of
from tree import is_included, leaf_hash

MAX_BYTES, MAX_NOTE, MAX_ENTRY = 2_097_152, 131_072, 524_288
WORD = text_of(512)


def is_salt(value):
    raw = unb64(value) if isinstance(value, str) else None
    return raw is not None and len(raw) == 32


def are_objects(value):
    return isinstance(value, list) and len(value) <= 16 and all(isinstance(one, dict) for one in value)


def read_bundle(data):
    return members(
        strict(data, MAX_BYTES), anchors=are_objects, declaration=text_of(MAX_NOTE), entry=text_of(MAX_ENTRY),
        kind=only("stigmem-fact-bundle/v1"), origin=only(None), proof=text_of(MAX_NOTE + 4096), salt=is_salt)


def key_of(name, algorithm, raw):
    prefix = name.encode() + b"\n" + bytes([algorithm])
    return name, hashlib.sha256(prefix + raw).digest()[:4], algorithm, raw


def is_key(value):
    return bool(members(
        value, algorithm=lambda one: one in ("ed25519", "ecdsa-p256", "cosignature-v1"), not_after=null_or(WORD),
        not_before=WORD, use=lambda one: one in ("log", "witness", "anchor"), vkey=WORD))


def open_declaration(note, node_id, identity):
    text, _ = verify_note(note.encode(), [vkey_of(key_of(node_id, ED25519, identity))])
    lines = text.split("\n")
    demand(len(lines) == 4 and lines[0] == "stigmem-declaration/v1" and lines[1] == node_id, "declaration")
    said = members(
        strict(lines[2].encode(), 12_288), audit_origin=WORD, issued_at=WORD, journal_origin=WORD,
        keys=lambda value: isinstance(value, list) and len(value) <= 32 and all(map(is_key, value)),
        node_id=only(node_id), peer_id=WORD, v=only(1))
    return said


def declared(said, use, algorithm):
    found = []
    for key in said["keys"]:
        if key["use"] == use:
            try:
                found.append(read_vkey(key["vkey"]))
            except Refused:
                continue
    return [key for key in found if key[2] == algorithm]


class Trust:
    def __init__(self, said):
        self.policy = parse_policy(said["policy"]) if "policy" in said else None
        self.logs = [read_vkey(vkey) for vkey in said.get("logKeys", [])] + (self.policy.logs if self.policy else [])
        self.nodes = [(one["nodeId"], key_of_peer_id(one["peerId"])) for one in said.get("nodes", [])]
        anchors = said.get("anchors")
        self.roots = None if anchors is None else read_root(anchors["trustedRoot"])
        self.anchor_keys = [read_vkey(vkey) for vkey in (anchors or {}).get("keys", [])]

    def owner(self, origin):
        return next((one for one in self.nodes if origin.startswith(one[0].removeprefix("stigmem://") + "/")), None)

    def keys_for(self, origin, declaration):
        given = [key for key in self.logs if key[0] == origin]
        if given:
            return given
        owner = self.owner(origin)
        demand(owner is not None, "nobody vouches for this log")
        said = open_declaration(declaration, *owner)
        demand(origin in (said["journal_origin"], said["audit_origin"]), "a log that is not declared")
        own = [key for key in declared(said, "log", ED25519) if key[0] in (origin, said["journal_origin"])]
        return [key_of(origin, ED25519, key[3]) for key in own]

    def anchor_keys_for(self, origin, declaration):
        given = [key[3] for key in self.anchor_keys if key[0] == origin]
        owner = self.owner(origin)
        try:
            said = open_declaration(declaration, *owner) if owner else None
        except Refused:
            said = None
        return given + [key[3] for key in declared(said, "anchor", ECDSA)] if said else given


def check_bundle(data, trusted):
    trust = Trust(trusted)
    bundle = read_bundle(data)
    index, path, note = parse_tlog_proof(bundle["proof"].encode())
    origin, size, root = check_reader(note, lambda name: trust.keys_for(name, bundle["declaration"]), trust.policy)
    raw = bundle["entry"].encode()
    demand(is_included(leaf_hash(unb64(bundle["salt"]), raw), index, size, path, root), "inclusion")
    entry = check_entry(raw, index)
    if trust.roots is not None:
        check_anchors(bundle, trust, origin, size, root)
    return entry, origin, size, root


def check_entry(raw, index):
    try:
        entry = entries.decode_entry(raw)
    except names.Refused as refused:
        raise Refused(refused.reason) from refused
    demand(entry["chain_seq"] == index + 1, "index")
    computed = (entries.cid_of(entry), entries.event_hash_of(entry), entries.chain_hash_of(entry))
    demand((entry["cid"], entry["event_hash"], entry["chain_hash"]) == computed, "hashes of the entry")
    return entry


def check_anchors(bundle, trust, origin, size, root):
    """At least one by a log, and all that are by logs: of this very checkpoint."""
    keys, found = trust.anchor_keys_for(origin, bundle["declaration"]), 0
    for value in bundle["anchors"]:
        receipt = read_receipt(value)
        if receipt["backend"] == "local":
            continue
        demand(any(holds(receipt, origin, key, trust.roots) == (size, root) for key in keys), "anchor")
        found += 1
    demand(found > 0, "no anchor")


def holds(receipt, origin, key, roots):
    try:
        return check_receipt(receipt, origin, key, roots)
    except Refused:
        return None
