"""What is kept of a node elsewhere: a WORM store in a folder, and a snapshot. docs/journal-format.md."""
import hashlib
import os
import re

from documents import STREAMS, document, object_of, one_of
from names import b64, unb64
from notes import Refused, demand, open_checkpoint, parse_checkpoint, parse_note
from strict_json import is_count, members, null_or, strict, text_of
from tree import leaf_hash, root_of, sha256

TEXT, COUNT = text_of(1_048_576), is_count
ORIGIN = null_or(object_of(chain_seq=COUNT, leaf_hash=TEXT, node_id=TEXT))
RECORDS = {
    "journal": {
        "at": TEXT, "commitment": TEXT, "fact": null_or(TEXT), "feed": TEXT, "feed_seq": COUNT, "origin": ORIGIN,
        "received_from": null_or(TEXT), "seq": COUNT},
    "audit": {"body": TEXT, "salt": TEXT, "seq": COUNT},
    "anchors": {"at": TEXT, "log": one_of("journal", "audit"), "note": TEXT, "seq": COUNT},
    "receipts": {
        "anchor": COUNT, "at": TEXT, "backend": TEXT, "entry": TEXT, "integrated_time": null_or(COUNT), "leaf_hash": TEXT,
        "log_id": TEXT, "log_index": COUNT, "seq": COUNT},
}
SEGMENT = re.compile("(anchors|receipts|journal|audit)/([0-9]{15})-([0-9a-f]{64})\\.jsonl")


def read(folder, path):
    try:
        with open(os.path.join(folder, path), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def digest_of(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Chain:
    """The manifests of a store in their order, and both trees made again. Of one history: no restore is followed."""

    def __init__(self, folder, origin, audit_origin, keys):
        self.folder, self.origin, self.keys = folder, origin, keys
        self.origins = {"journal": origin, "audit": audit_origin}
        self.ends = dict.fromkeys(STREAMS, 0)
        self.leaves = {"journal": [], "audit": []}
        self.expected = []
        self.feeds = {}

    def check(self, at_least=1):
        previous, number = None, 0
        while (data := read(self.folder, f"manifest/{number + 1:012d}.note")) is not None:
            number += 1
            said = document(data, "stigmem-worm-manifest/v1", self.origin, self.keys)
            demand(said["v"] == 1 and said["number"] == number and said["previous"] == previous, "chain")
            self.manifest(said)
            previous = digest_of(data)
        demand(number >= at_least, "manifests")
        for log, note in self.expected:
            self.compare(log, note)
        return {"manifests": number, **self.ends}

    def manifest(self, said):
        for segment in said["segments"]:
            self.segment(segment)
        demand(said["ends"] == self.ends, "ends")
        self.expected += [("journal", said["journal"]), ("audit", said["audit"])]

    def segment(self, segment):
        named, data = SEGMENT.fullmatch(segment["path"]), read(self.folder, segment["path"])
        demand(named and data is not None and len(data) == segment["bytes"], "segment")
        stream, first, last = segment["stream"], segment["first"], segment["last"]
        demand((named[1], int(named[2]), f"sha256:{named[3]}") == (stream, first, segment["sha256"]), "name of a segment")
        demand(digest_of(data) == segment["sha256"] and first == self.ends[stream] + 1 <= last, "segment")
        lines = data.decode("utf-8").split("\n")
        demand(lines.pop() == "" and len(lines) == last - first + 1, "lines")
        for seq, line in enumerate(lines, first):
            record = strict(line.encode(), 16_777_216)
            demand(isinstance(record, dict) and record.get("seq") == seq, "record")
            self.record(stream, record)
        self.ends[stream] = last

    def record(self, stream, record):
        members(record, **RECORDS[stream])
        if stream == "journal":
            data = unb64(record["commitment"])
            demand(data is not None and len(data) == 33 and data[0] == 1, "leaf data")
            self.leaves["journal"].append(sha256(b"\0" + data))
            feed = record["feed"]
            demand(record["feed_seq"] == self.feeds.get(feed, 0) + 1, "feed")
            self.feeds[feed] = record["feed_seq"]
        elif stream == "audit":
            self.leaves["audit"].append(leaf_hash(unb64(record["salt"]), record["body"].encode()))
        elif stream == "anchors":
            self.expected.append((record["log"], record["note"]))

    def compare(self, log, note):
        heads = []
        for key in self.keys:
            try:
                heads.append(open_checkpoint(note.encode(), self.origins[log], key))
            except Refused:
                continue
        demand(heads, "checkpoint")
        size, root = heads[0]
        demand(size <= len(self.leaves[log]) and root_of(self.leaves[log][:size]) == root, "root")


def check_snapshot(folder, origin, keys):
    data = read(folder, "snapshot.note")
    demand(data is not None, "snapshot.note")
    said = document(data, "stigmem-snapshot/v1", origin, keys)
    names = [one["path"] for one in said["files"]]
    demand(len(set(names)) == len(names), "paths")
    for one in said["files"]:
        held = read(folder, one["path"])
        demand(held is not None and len(held) == one["bytes"] and digest_of(held) == one["sha256"], one["path"])
    for log in (said["journal"], said["audit"]):
        if log["checkpoint"] is not None:
            text, _ = parse_note(log["checkpoint"].encode())
            _, size, root = parse_checkpoint(text)
            demand(size <= log["size"] and (size < log["size"] or b64(root) == log["root"]), "checkpoint")
    proof = read(folder, "verified.note")
    if proof is not None:
        verified = document(proof, "stigmem-snapshot-verified/v1", origin, keys)
        demand(verified["manifest"] == digest_of(data), "proof of another snapshot")
        demand((verified["journal_size"], verified["audit_size"]) == (said["journal"]["size"], said["audit"]["size"]), "sizes")
    return {"files": len(names), "journal": said["journal"]["size"], "verified": proof is not None}
