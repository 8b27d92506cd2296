"""Judges one case a line: `{"id", "kind", …}` in, `{"id", "ok", "said"}` out; `said` is what it says, or why it is refused."""
import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "python-peer"))

import entry as entries  # noqa: E402
import names  # noqa: E402
from documents import document, drill_report, identity_in, own_declaration, peer_note, succession, words  # noqa: E402
from erasures import check_erasure, read_tombstone  # noqa: E402
from invites import read_code  # noqa: E402
from notes import Refused, open_checkpoint, open_feed_head  # noqa: E402
from packets import judge, judge_packet  # noqa: E402
from page import Rules, check_page  # noqa: E402
from pages import check_relayed  # noqa: E402
from statements import BY_LOG, export_digest, page_note, statement  # noqa: E402
from stores import Chain, check_snapshot  # noqa: E402
from times import moment  # noqa: E402


def raw(text):
    return base64.b64decode(text)


def text_in(case):
    """A text that travels in JSON, and so has no bytes that are no UTF-8."""
    try:
        return raw(case["note"]).decode("utf-8")
    except UnicodeDecodeError as cause:
        raise Refused("utf-8") from cause


def entry_code(case):
    try:
        entries.decode_entry(raw(case["note"]))
    except names.Refused as refused:
        raise Refused(refused.reason) from refused


def tombstone(case):
    found = read_tombstone(text_in(case))
    if found is None:
        raise Refused("tombstone")
    return list(found)


def time(case):
    found = moment(text_in(case))
    if found is None:
        raise Refused("time")
    return str(found)


def fingerprint(case):
    sides = [(identity_in(own_declaration(one)["peer_id"]), own_declaration(one)) for one in case["sides"]]
    return words(sides, case["words"])


def store(case):
    keys = [raw(one) for one in case["keys"]]
    if case["kind"] == "snapshot":
        return check_snapshot(case["folder"], case["origin"], keys)
    return Chain(case["folder"], case["origin"], case["audit"], keys).check(case["at_least"])


def relayed(case):
    frames = [None if one is None else raw(one) for one in case["frames"]]
    relay, origin = [(*one[:2], raw(one[2])) for one in (case["relay"], case["from"])]
    return check_relayed(frames, relay, origin)


def pulled(case):
    """As the peer in Python judges a page that it has pulled for the first time."""
    rules = Rules(
        self=case["self"], origin=case["origin"], log_key=raw(case["key"]), namespaces=case["namespaces"], accept=case["accept"],
        feed="public", after=0, known=None, known_length=0, before=None, now_ms=case["now_ms"], first=True, seen={})
    try:
        found = check_page([None if one is None else raw(one) for one in case["frames"]], rules, lambda indexes, size: None)
    except names.Refused as refused:
        return refused.reason
    refused = [[one["feed_seq"], one["reason"]] for one in found.refused]
    return [refused, len(found.entries), found.duplicates, found.quarantined]


JUDGES = {
    "checkpoint": lambda case: None if open_checkpoint(raw(case["note"]), case["origin"], raw(case["key"])) else None,
    "feed_head": lambda case: open_feed_head(raw(case["note"]), case["origin"], raw(case["key"])),
    "page_note": lambda case: page_note(raw(case["note"]), case["origin"], raw(case["key"])),
    "export_digest": lambda case: export_digest(raw(case["note"]), case["origin"], raw(case["key"])),
    "document": lambda case: document(raw(case["note"]), case["title"], case["origin"], [raw(case["key"])]),
    "drill_report": lambda case: drill_report(raw(case["note"]), case["origin"], [raw(case["key"])]),
    "succession": lambda case: succession(text_in(case), case["node"]),
    "declaration": lambda case: own_declaration(text_in(case)),
    "peer_note": lambda case: peer_note(text_in(case)),
    "entry": entry_code, "tombstone": tombstone, "time": time, "words": fingerprint,
    "invite": lambda case: read_code(text_in(case)),
    "evidence": lambda case: judge(raw(case["note"]), case.get("declaration")),
    "packet": lambda case: judge_packet(raw(case["note"])),
    "erasure_proof": lambda case: check_erasure(raw(case["note"]), case["trust"]), "pulled": pulled, "worm": store, "snapshot": store, "relayed": relayed,
    **{kind: (lambda case: statement(case["kind"], text_in(case), case["origin"], raw(case["key"]))) for kind in BY_LOG},
}

for line in sys.stdin:
    one = json.loads(line)
    try:
        answer = {"id": one["id"], "ok": True, "said": JUDGES[one["kind"]](one)}
    except Refused as refusal:
        answer = {"id": one["id"], "ok": False, "said": str(refusal)}
    print(json.dumps(answer))
