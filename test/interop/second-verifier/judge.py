"""Judges one case a line: `{"id", "kind", …}` in, `{"id", "ok", "code"}` out. Bytes travel as base64."""
import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "python-peer"))

from anchors import check_receipt, parse_receipt, read_root  # noqa: E402
from bundles import check_bundle  # noqa: E402
from evidence import contradiction  # noqa: E402
from notes import Refused, check_tlog_proof, demand, open_checkpoint, open_feed_head, parse_note, verify_note  # noqa: E402
from policy import check_policy  # noqa: E402
from tree import extends, fold_page, is_included  # noqa: E402


def raw(text):
    return base64.b64decode(text)


def path_of(case):
    path = [raw(one) for one in case["path"]]
    demand(all(len(one) == 32 for one in path), "length of a hash")
    return path


def is_size(*numbers):
    return all(type(number) is int and 0 <= number < 2**53 for number in numbers)


def inclusion(case):
    leaf, root, path = raw(case["leaf"]), raw(case["root"]), path_of(case)
    demand(is_size(case["index"], case["size"]) and len(leaf) == len(root) == 32, "form")
    demand(is_included(leaf, case["index"], case["size"], path, root), "inclusion")


def consistency(case):
    old_root, new_root, path = raw(case["old_root"]), raw(case["new_root"]), path_of(case)
    old, new = case["old"], case["new"]
    demand(is_size(old, new) and old <= new and len(old_root) == len(new_root) == 32, "form")
    demand(extends(old, old_root, new, new_root, path), "consistency")


def page(case):
    leaves, proof = [raw(one) for one in case["leaves"]], path_of(case)
    indexes, size = case["indexes"], case["size"]
    ordered = is_size(size, *indexes) and all(a < b for a, b in zip(indexes, indexes[1:]))
    demand(ordered and all(index < size for index in indexes) and len(leaves) == len(indexes), "form")
    demand(all(len(leaf) == 32 for leaf in leaves), "length of a leaf")
    demand(size > 0 and fold_page(size, indexes, leaves, proof) == raw(case["root"]), "page proof")


JUDGES = {
    "parse": lambda case: parse_note(raw(case["note"])),
    "note": lambda case: verify_note(raw(case["note"]), case["vkeys"]),
    "checkpoint": lambda case: open_checkpoint(raw(case["note"]), case["origin"], raw(case["key"])),
    "feed_head": lambda case: open_feed_head(raw(case["note"]), case["origin"], raw(case["key"])),
    "tlog_proof": lambda case: check_tlog_proof(raw(case["proof"]), raw(case["leaf"]), case["origin"], raw(case["key"])),
    "inclusion": inclusion,
    "consistency": consistency,
    "page": page,
    "bundle": lambda case: check_bundle(raw(case["bundle"]), case["trust"]),
    "anchor": lambda case: check_receipt(parse_receipt(raw(case["receipt"])), case["origin"], raw(case["key"]), read_root(case["root"])),
    "policy": lambda case: check_policy(raw(case["policy"]), raw(case["note"])),
    "evidence": lambda case: contradiction(raw(case["evidence"])),
}


def judge(case):
    try:
        found = JUDGES[case["kind"]](case)
    except Refused as refusal:
        return {"id": case["id"], "ok": False, "code": str(refusal)}
    return {"id": case["id"], "ok": True, "code": found if case["kind"] == "evidence" else None}


for line in sys.stdin:
    print(json.dumps(judge(json.loads(line))))
