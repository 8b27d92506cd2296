"""A small node in memory: asserts facts, calls a peer, and answers its pulls over the connection that it opened."""
import argparse
import hashlib
import json
import time
import uuid
from datetime import datetime, timezone

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from entry import chain_hash_of, cid_of, event_hash_of, python_json
from messages import declare, decode, encode, page_note_text, sign_note
from names import b64, key_of_peer_id, peer_id_of_key
from noise import connect, raw_public
from pull import HELLO, PROOF, PROTOCOLS, PULL, WATCH
from tree import consistency_proof, inclusion_proof, leaf_hash, page_proof, root_of
from yamux import Session

PULL_MEMBERS = ["accept", "feeds", "known_size", "page_bytes", "page_entries", "pages", "v"]


class Journal:
    def __init__(self, node_id, seed, receiver):
        self.node_id, self.receiver = node_id, receiver
        self.log_seed = bytes(reversed(seed))
        self.origin = f"{node_id.removeprefix('stigmem://')}/journal/{hashlib.sha256(seed).hexdigest()[:16]}"
        self.entries, self.leaves, self.feeds = [], [], {}

    def append(self, scope, value, source=None):
        feed = self.feeds.setdefault(scope, [])
        now = time.time()
        at = datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="microseconds")
        entry = {
            "attestation": None, "chain_seq": len(self.entries) + 1, "confidence": "0.5", "created_at": at, "derived_from": [],
            "entity": f"{self.node_id}/thing/{len(self.entries)}", "fact_id": str(uuid.uuid4()), "feed_seq": len(feed) + 1,
            "garden_id": None, "hlc": f"{int(now * 1000):013d}.{len(self.entries):03d}", "interpret_as": "content", "origin": None,
            "previous_hash": json.loads(self.entries[-1][1])["chain_hash"] if self.entries else None, "received_from": None,
            "relation": "python:value", "scope": scope, "source": source or f"{self.node_id}/agent/p", "tenant_id": "default",
            "timestamp": at, "v": 1, "valid_until": None, "value_type": "string", "value_v": value,
        }
        entry["cid"] = cid_of(entry)
        entry["event_hash"] = event_hash_of(entry)
        entry["chain_hash"] = chain_hash_of(entry)
        salt, data = hashlib.sha256(b"salt" + at.encode()).digest(), python_json(entry).encode()
        feed.append(len(self.entries))
        self.entries.append((salt, data))
        self.leaves.append(leaf_hash(salt, data))
        return entry["cid"]

    def checkpoint(self):
        return sign_note(f"{self.origin}\n{len(self.leaves)}\n{b64(root_of(self.leaves))}\n", self.origin, self.log_seed)

    def feed_head(self, feed):
        places = self.feeds[feed]
        text = f"stigmem-feed/v1\n{self.origin}\n{feed}\n{len(places)}\n{len(self.leaves)}\n{b64(self.leaves[places[-1]])}\n"
        return sign_note(text, self.origin, self.log_seed)

    def page(self, feed, after, count, known_size):
        """The frames of one page, and where it ends. `known_size` None: not the first page of its answer."""
        indexes = self.feeds[feed][after:after + count]
        lines = [b64(self.entries[i][0]).encode() + b" " + self.entries[i][1] + b"\n" for i in indexes]
        proof = page_proof(self.leaves, indexes) if indexes else []
        header = {
            "after": after, "anchor": None, "checkpoint": self.checkpoint(),
            "consistency": None if known_size is None else [b64(one) for one in consistency_proof(self.leaves, known_size)],
            "encoding": "identity", "entries_bytes": sum(map(len, lines)), "feed": feed, "feed_head": self.feed_head(feed),
            "indexes": indexes, "lengths": [len(self.entries[i][1]) for i in indexes], "proof_hashes": len(proof), "v": 1,
        }
        frames = [encode(header), b"".join(lines) or None, b"".join(proof) or None]
        to = after + len(indexes)
        text = page_note_text(self.origin, self.receiver, feed, after, to, len(self.leaves), frames)
        note = sign_note(text, self.origin, self.log_seed).encode()
        return [frame for frame in [*frames, note] if frame], to

    def answer_pull(self, request):
        ask = decode(request, PULL_MEMBERS, "pull request")
        frames, known = [], ask["known_size"]
        for cursor in ask["feeds"]:
            feed, after = cursor["feed"], cursor["after"]
            while feed == "public" and feed in self.feeds:
                if after == len(self.feeds[feed]) and ask["known_size"] == len(self.leaves):
                    break
                page, after = self.page(feed, after, ask["page_entries"], known)
                frames, known = frames + page, None
                if after == len(self.feeds[feed]):
                    break
        return [*frames, encode({"end": True, "has_more": False, "v": 1})], True

    def answer_watch(self, _request):
        lengths = [{"feed": "public", "length": len(self.feeds["public"])}]
        return [encode({"feeds": lengths, "size": len(self.leaves), "v": 1})], False

    def answer_proof(self, request):
        ask = json.loads(request)
        if ask["kind"] == "inclusion":
            some = self.leaves[:ask["size"]]
            said = {"proofs": [[b64(one) for one in inclusion_proof(some, index)] for index in ask["indexes"]]}
        elif ask["kind"] == "consistency":
            said = {"proof": [b64(one) for one in consistency_proof(self.leaves[:ask["to"]], ask["from"])]}
        else:
            return [], True
        return [encode({**said, "kind": ask["kind"], "v": 1})], True


def main():
    parser = argparse.ArgumentParser()
    for name in ("--seed", "--connect", "--peer-id"):
        parser.add_argument(name, required=True)
    parser.add_argument("--self", default="stigmem://python.example")
    parser.add_argument("--receiver", default="stigmem://acme.example")
    parser.add_argument("--facts", type=int, default=40)
    args = parser.parse_args()
    seed = bytes.fromhex(args.seed)
    journal = Journal(args.self, seed, args.receiver)
    cids = []
    for i in range(args.facts):
        cids.append(journal.append("public", f"Wert “{i}” \U0001f40d\n"))
        journal.append("company", f"secret {i}")
    lie = journal.append("public", "not ours to say", source="stigmem://globex.example/agent/x")
    cids.append(journal.append("public", "behind the lie"))

    own_id = peer_id_of_key(raw_public(Ed25519PrivateKey.from_private_bytes(seed)))
    note = declare(args.self, own_id, seed, journal.log_seed, datetime.now(timezone.utc).isoformat())

    def answer_hello(_request):
        return [encode({"clock_ms": int(time.time() * 1000), "declaration": note, "heads": [], "protocols": PROTOCOLS,
                        "software": "python-peer/1", "successions": [], "v": 1})], True

    host, port = args.connect.rsplit(":", 1)
    channel = connect(host, int(port), seed, key_of_peer_id(args.peer_id), timeout=120)
    session = Session(channel, {HELLO: answer_hello, PULL: journal.answer_pull, WATCH: journal.answer_watch,
                                PROOF: journal.answer_proof})
    print(json.dumps({"cids": cids, "lie": lie, "size": len(journal.leaves), "root": b64(root_of(journal.leaves))}), flush=True)
    while True:
        session.pump()


if __name__ == "__main__":
    main()
