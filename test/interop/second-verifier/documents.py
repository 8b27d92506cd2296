"""Notes whose text is a title, a name and JSON: docs/PROTOCOL.md and docs/journal-format.md."""
import hashlib
import re

import names
from bundles import key_of, open_declaration
from names import unb64
from notes import COSIGNATURE, ECDSA, ED25519, VERIFY, Refused, demand, parse_note, read_vkey, verify_note
from policy import vkey_of
from statements import is_digest_text, is_hash, is_key_name, is_node_id, signed_by, units
from strict_json import is_count, members, null_or, only, strict, text_of
from times import moment

PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
MONTH = re.compile("[0-9]{4}-(0[1-9]|1[0-2])")
STREAMS = ("anchors", "receipts", "journal", "audit")
WORD, TIME = text_of(512), text_of(64)


def one_of(*known):
    return lambda value: isinstance(value, str) and value in known


def up_to(most, low=0):
    return lambda value: is_count(value) and low <= value <= most


def is_flag(value):
    return isinstance(value, bool)


def list_of(check, most):
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(check, value))


def object_of(**checks):
    return lambda value: bool(members(value, **checks))


NOTE = text_of(16_384)
ENDS = object_of(anchors=is_count, audit=is_count, journal=is_count, receipts=is_count)
SEGMENT = object_of(
    bytes=up_to(16_777_216, 1), first=up_to(2**53, 1), last=up_to(2**53, 1), path=text_of(256), sha256=is_digest_text,
    stream=one_of(*STREAMS), version=null_or(text_of(1024)))
RESTORED = object_of(
    at=TIME, base=up_to(10**12 - 1), base_digest=null_or(is_digest_text), count=up_to(1000, 1), **{"from": ENDS}, left=ENDS,
    number=up_to(10**12 - 1, 2))
MANIFEST = {
    "audit": NOTE, "ends": ENDS, "journal": NOTE, "made_at": TIME, "number": up_to(10**12 - 1, 1),
    "previous": null_or(is_digest_text), "retain_until": null_or(TIME), "segments": list_of(SEGMENT, 64),
}
LOG = object_of(checkpoint=null_or(NOTE), root=text_of(64), size=is_count)
FILE = object_of(
    bytes=is_count, path=lambda one: isinstance(one, str) and len(one) <= 200 and bool(PATH.fullmatch(one)), sha256=is_digest_text)
TREE = null_or(object_of(root=text_of(64), size=is_count))
TOLD = list_of(text_of(200), 16)
SHORT = text_of(32)
SINKS = list_of(object_of(acked_at=null_or(SHORT), name=text_of(64), state=one_of("acknowledged", "filtered", "silent")), 16)
DRILL = object_of(
    acknowledged_at=null_or(SHORT), acknowledged_by=null_or(WORD), audit_seq=null_or(is_count), convicts=null_or(is_flag),
    expected=text_of(64), failure=null_or(text_of(64)), id=SHORT, kind=text_of(64), passed=is_flag, recorded_at=null_or(SHORT),
    refused_at=null_or(SHORT), seen=null_or(text_of(64)), sent_at=null_or(SHORT), sinks=SINKS, started_at=SHORT, started_by=WORD)

DOCUMENTS = {
    "stigmem-snapshot/v1": [{
        "audit": LOG, "files": list_of(FILE, 400), "journal": LOG, "keys": is_flag, "made_at": TIME, "node_id": text_of(256),
        "software": text_of(128), "v": only(1)}],
    "stigmem-snapshot-verified/v1": [{
        "audit_size": is_count, "journal_size": is_count, "manifest": is_digest_text, "v": only(1), "verified_at": TIME}],
    "stigmem-worm-manifest/v1": [{**MANIFEST, "v": only(1)}, {**MANIFEST, "restored": RESTORED, "v": only(2)}],
    "stigmem-journal-check/v1": [{
        "audit": TREE, "by": text_of(200), "duration_ms": is_count, "ended_at": TIME, "first_problems": TOLD, "journal": TREE,
        "notices": TOLD, "problems": is_count, "rows": is_count, "started_at": TIME, "v": only(1)}],
    "stigmem-drill-report/v1": [{
        "audit_size": is_count, "drills": list_of(DRILL, 256), "failed": is_count, "made_at": SHORT,
        "month": lambda one: isinstance(one, str) and bool(MONTH.fullmatch(one)), "node_id": WORD, "part": up_to(256, 1),
        "parts": up_to(256, 1), "passed": is_count,
        "refusals": list_of(object_of(count=is_count, reason=text_of(64)), 128), "v": only(1), "whole": is_flag}],
}


def document(data, title, origin, keys):
    """A signed document of a log: what it says."""
    text, signatures = parse_note(data)
    found = text.split("\n")
    demand(len(found) == 4 and found[0] == title and found[1] == origin and is_key_name(origin) and found[3] == "", "lines")
    value = strict(found[2].encode(), 65_536)
    forms = DOCUMENTS[title]
    demand(isinstance(value, dict), "object")
    form = forms[1] if len(forms) > 1 and value.get("v") == 2 else forms[0]
    members(value, **form)
    for key in keys:
        try:
            signed_by(text, signatures, origin, key)
            return value
        except Refused:
            continue
    raise Refused("signature")


def drill_report(data, origin, keys):
    """All documents of a report: a line that is the title, behind a line feed, begins the next."""
    title = "stigmem-drill-report/v1"
    parts = data.decode("utf-8", "strict").split(f"\n{title}\n")
    texts = [part if i == 0 else f"{title}\n{part}" for i, part in enumerate(parts)]
    texts = [text if i == len(texts) - 1 else f"{text}\n" for i, text in enumerate(texts)]
    demand(len(texts) <= 256, "parts")
    reports = [document(text.encode(), title, origin, keys) for text in texts]
    demand(reports[0]["parts"] == len(reports), "parts")
    common = [{name: one[name] for name in one if name not in ("part", "drills")} for one in reports]
    demand(all(one == common[0] for one in common), "one report")
    demand([one["part"] for one in reports] == list(range(1, len(reports) + 1)), "order")
    drills = [drill for one in reports for drill in one["drills"]]
    demand(len(drills) == reports[0]["passed"] + reports[0]["failed"], "drills")
    return {**{name: value for name, value in common[0].items() if name not in ("parts", "v")}, "drills": drills}


USES = {"log": ED25519, "witness": COSIGNATURE, "anchor": ECDSA, "node": ED25519}


def succession(note, node_id):
    demand(units(note) <= 4096, "size")
    text, signatures = parse_note(note.encode())
    found = text.split("\n")
    demand(len(found) == 4 and found[0] == "stigmem-succession/v1" and found[1] == node_id and is_node_id(node_id), "lines")
    demand(found[3] == "" and len(signatures) == 2, "lines")
    said = members(
        strict(found[2].encode(), 4096), effective_at=WORD, new=WORD, old=WORD, overlap_until=WORD, use=one_of(*USES), v=only(1))
    keys = [read_vkey(said[which]) for which in ("old", "new")]
    authority = node_id.removeprefix("stigmem://")
    expected = {"node": node_id, "witness": f"{authority}/witness"}.get(said["use"], keys[0][0])
    demand(said["old"] != said["new"] and all(one[0] == expected for one in keys), "names of keys")
    demand(all(one[2] == USES[said["use"]] for one in keys), "kinds of keys")
    start, end = moment(said["effective_at"]), moment(said["overlap_until"])
    demand(start is not None and end is not None and start <= end, "times")
    for name, id_, algorithm, key in keys:
        if algorithm == COSIGNATURE:
            id_, algorithm = hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4], ED25519
        ours = [signature for who, line, signature in signatures if who == name and line == id_]
        demand(ours and all(VERIFY[algorithm](key, text.encode(), one) for one in ours), "signature")
    return said


def identity_in(peer_id):
    demand(re.fullmatch("[1-9A-HJ-NP-Za-km-z]{52}", peer_id), "peer id")
    try:
        key = names.key_of_peer_id(peer_id)
    except (ValueError, OverflowError) as cause:
        raise Refused("peer id") from cause
    demand(names.peer_id_of_key(key) == peer_id, "peer id")
    return key


def own_declaration(note):
    """Under the node id and peer id that it names itself."""
    text, _ = parse_note(note.encode())
    found = text.split("\n")
    demand(len(found) == 4, "lines")
    said = strict(found[2].encode(), 12_288)
    demand(isinstance(said, dict) and isinstance(said.get("peer_id"), str), "peer id")
    return open_declaration(note, found[1], identity_in(said["peer_id"]))


def peer_note(note):
    demand(units(note) <= 40_960, "size")
    text, signatures = parse_note(note.encode())
    found = text.split("\n")
    demand(len(found) == 4 and found[0] == "stigmem-peer/v1" and is_node_id(found[1]) and found[3] == "", "lines")
    demand(len(signatures) == 1, "one line")
    said = members(
        strict(found[2].encode(), 36_864), addresses=list_of(text_of(512), 16), declaration=text_of(16_384),
        peer_id=text_of(64), v=only(1))
    key = identity_in(said["peer_id"])
    verify_note(note.encode(), [vkey_of(key_of(found[1], ED25519, key))])
    declared = open_declaration(said["declaration"], found[1], key)
    demand(declared["peer_id"] == said["peer_id"], "peer id")
    return said


def log_keys(said, origin):
    """Raw Ed25519 keys that a declaration names for one of its logs."""
    found = []
    for key in said["keys"]:
        if key["use"] == "log":
            try:
                name, _, algorithm, raw = read_vkey(key["vkey"])
            except Refused:
                continue
            if name == origin and algorithm == ED25519:
                found.append(raw)
    return found


def words(sides, listed):
    """The twelve words of two nodes: (identity key, declaration) each."""
    from strict_json import canonical

    def side(key, declaration):
        lasting = {name: value for name, value in declaration.items() if name != "issued_at"}
        return key + hashlib.sha256(canonical(lasting).encode()).digest()

    both = sorted(side(*one) for one in sides)
    bits = int.from_bytes(hashlib.sha256(b"stigmem-words/v1\x00" + b"".join(both)).digest(), "big") >> (256 - 132)
    return [listed[bits >> (11 * (11 - i)) & 2047] for i in range(12)]


