"""Pulls from a node, verifies everything itself, and prints one JSON document about it."""
import argparse
import json
import os
import time
from datetime import datetime, timezone

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import page as pages
from messages import decode, declare, encode, open_declaration
from names import Refused, b64, key_of_peer_id, peer_id_of_key, unb64
from noise import connect, raw_public
from page import Rules, check_page, read_header
from yamux import Cut, Session, request

BASE = "/stigmem/federation"
PROTOCOLS = [f"{BASE}/{name}/1.0.0" for name in ("hello", "pull", "watch", "proof")]
HELLO, PULL, WATCH, PROOF = PROTOCOLS
HELLO_MEMBERS = ["clock_ms", "declaration", "heads", "protocols", "software", "successions", "v"]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", required=True, help="hex of our 32-byte identity seed")
    parser.add_argument("--print-peer-id", action="store_true")
    parser.add_argument("--connect", help="host:port")
    parser.add_argument("--peer-id")
    parser.add_argument("--node-id", help="who the peer is")
    parser.add_argument("--self", default="stigmem://python.example", help="who we are")
    parser.add_argument("--feed", action="append", default=[])
    parser.add_argument("--namespace", action="append", default=[])
    parser.add_argument("--page-entries", type=int, default=1000)
    parser.add_argument("--pages", type=int, default=64)
    parser.add_argument("--state", help="file that keeps what was verified")
    parser.add_argument("--identity", action="store_true", help="no zstd")
    parser.add_argument("--late-muxer", action="store_true", help="agree on Yamux inside of Noise")
    parser.add_argument("--watch", type=int, default=0, help="updates to wait for, after the pull")
    parser.add_argument("--rounds", type=int, default=1, help="how often to pull everything, over one connection")
    parser.add_argument("--flip", choices=["header", "entries", "proof"], help="garble the first page before it is checked")
    return parser.parse_args()


class Puller:
    def __init__(self, args):
        self.args = args
        self.seed = bytes.fromhex(args.seed)
        self.state = {"pinned": None, "known": None, "cursors": {}, "lengths": {}, "before": None, "seen": {}}
        if args.state and os.path.exists(args.state):
            with open(args.state, encoding="utf-8") as file:
                self.state = json.load(file)
        self.out = {"accepted": 0, "refused": [], "pages": 0, "feeds": {}, "cids": [], "folded": 0, "resolved": 0,
                    "consistency_from": [], "zstd_pages": 0,
                    "duplicates": 0, "quarantined": 0}

    def run(self):
        host, port = self.args.connect.rsplit(":", 1)
        peer_key = key_of_peer_id(self.args.peer_id)
        channel = connect(host, int(port), self.seed, peer_key, not self.args.late_muxer)
        self.session = Session(channel)
        self.greet(peer_key)
        for _ in range(self.args.rounds):
            while self.pull():
                pass
        if self.args.watch:
            self.watch()
        self.save()
        return self.out

    def greet(self, peer_key):
        identity = peer_id_of_key(raw_public(Ed25519PrivateKey.from_private_bytes(self.seed)))
        now = datetime.now(timezone.utc).isoformat()
        note = declare(self.args.self, identity, self.seed, bytes(reversed(self.seed)), now)
        hello = {"clock_ms": int(time.time() * 1000), "declaration": note, "heads": [], "protocols": PROTOCOLS,
                 "software": "python-peer/1", "successions": [], "v": 1}
        frame = following(request(self.session, HELLO, encode(hello), 65_536))
        said = decode(frame, HELLO_MEMBERS, "hello")
        origin, log_key = open_declaration(said["declaration"], self.args.node_id, peer_key)
        pinned = [origin, b64(log_key)]
        if self.state["pinned"] not in (None, pinned):
            raise Refused("key_changed")
        self.state["pinned"] = pinned
        self.out.update(software=said["software"], origin=origin, protocols=said["protocols"])

    def pull(self):
        """One answer. True: the peer has more."""
        cursors = self.state["cursors"]
        known = self.state["known"]
        body = {
            "accept": [] if self.args.identity or pages.zstandard is None else ["zstd"],
            "feeds": [{"after": cursors.get(feed, 0), "feed": feed} for feed in self.args.feed],
            "known_size": known[0] if known else 0, "page_bytes": 1_048_576, "page_entries": self.args.page_entries,
            "pages": self.args.pages, "v": 1,
        }
        frames = request(self.session, PULL, encode(body))
        first, end = True, None
        for frame in frames:
            if end is not None:
                raise Refused("page_malformed", "a frame behind the end")
            if frame.startswith((b'{"end"', b'{"error"')):
                end = self.read_end(frame)
                continue
            header = read_header(frame)
            rest = [following(frames) if header["indexes"] else None, following(frames) if header["proof_hashes"] else None,
                    following(frames)]
            self.take(header, [frame, *rest], first)
            first = False
        if end is None:
            raise Cut("no end frame")
        return end

    def read_end(self, frame):
        if frame.startswith(b'{"error"'):
            said = decode(frame, ["error", "retry_after_ms", "v"], "error")
            raise Refused(said["error"], f"retry after {said['retry_after_ms']} ms")
        said = decode(frame, ["end", "has_more", "v"], "end")
        if said["end"] is not True or not isinstance(said["has_more"], bool):
            raise Refused("page_malformed", "end")
        return said["has_more"]

    def take(self, header, frames, first):
        feed, state, known = header["feed"], self.state, self.state["known"]
        if feed not in self.args.feed:
            raise Refused("page_malformed", "a feed that was not asked for")
        if self.args.flip and first:
            frames = garbled(frames, self.args.flip)
        rules = Rules(
            self=self.args.self, origin=state["pinned"][0], log_key=unb64(state["pinned"][1]), namespaces=self.args.namespace, accept=self.args.feed,
            feed=feed, after=state["cursors"].get(feed, 0), known=(known[0], unb64(known[1])) if known else None,
            known_length=state["lengths"].get(feed, 0), before=tuple(state["before"]) if state["before"] else None,
            now_ms=int(time.time() * 1000), first=first, seen=state["seen"],
        )
        result = check_page(frames, rules, self.ask_paths)
        if first:
            self.out["consistency_from"].append(known[0] if known else 0)
        state["known"] = [result.size, b64(result.root)]
        state["cursors"][feed] = result.after
        state["lengths"][feed] = result.length
        state["before"] = result.before
        self.out["pages"] += 1
        self.out["zstd_pages"] += header["encoding"] == "zstd"
        self.out["folded" if result.folded else "resolved"] += 1
        self.out["accepted"] += len(result.entries)
        self.out["refused"] += result.refused
        self.out["duplicates"] += result.duplicates
        self.out["quarantined"] += result.quarantined
        self.out["feeds"][feed] = {"after": result.after, "length": result.length}
        self.out["checkpoint"] = {"size": result.size, "root": b64(result.root)}
        self.out["cids"] += [entry["cid"] for entry in result.entries]

    def ask_paths(self, indexes, size):
        paths = []
        for at in range(0, len(indexes), 1024):
            some = indexes[at:at + 1024]
            ask = {"indexes": some, "kind": "inclusion", "size": size, "v": 1}
            frames = list(request(self.session, PROOF, encode(ask)))
            if len(frames) != 1:
                return None
            said = decode(frames[0], ["kind", "proofs", "v"], "proofs")
            if said["kind"] != "inclusion" or len(said["proofs"]) != len(some):
                return None
            paths += [[unb64(one) for one in path] for path in said["proofs"]]
        return paths

    def watch(self):
        updates = request(self.session, WATCH, encode({"feeds": self.args.feed, "v": 1}), 65_536)
        self.out["updates"] = []
        for _ in range(self.args.watch):
            said = decode(next(updates), ["feeds", "size", "v"], "update")
            self.out["updates"].append(said)
            print(json.dumps({"update": said}), flush=True)

    def save(self):
        if self.args.state:
            with open(self.args.state, "w", encoding="utf-8") as file:
                json.dump(self.state, file)


def following(frames):
    frame = next(frames, None)
    if frame is None:
        raise Cut("the answer ended inside of a page")
    return frame


def garbled(frames, which):
    """One bit of one frame, in the middle: what a verifier that looks at everything must find."""
    place = ["header", "entries", "proof"].index(which)
    data = bytearray(frames[place])
    data[len(data) // 2] ^= 1
    return [*frames[:place], bytes(data), *frames[place + 1:]]


def main():
    args = arguments()
    if args.print_peer_id:
        print(peer_id_of_key(raw_public(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(args.seed)))))
        return 0
    puller = Puller(args)
    try:
        print(json.dumps({"ok": True, **puller.run()}))
    except Refused as refused:
        puller.save()
        print(json.dumps({"ok": False, "reason": refused.reason, "detail": refused.detail, **puller.out}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
