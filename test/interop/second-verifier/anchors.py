"""Anchor receipts: docs/journal-format.md (Anchors), Rekor's LogEntry (v1) and TransparencyLogEntry (v2)."""
import base64
import hashlib
import json
import re

from cryptography.hazmat.primitives.asymmetric import ec, ed25519 as edwards
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from names import b64, decimal, unb64
from notes import demand, ecdsa, ed25519, parse_checkpoint, parse_note, verify_note
from strict_json import canonical, is_count, members, null_or, strict
from tree import is_included

HEX = re.compile("(?:[0-9a-f]{2})+")
MAX_CHARS = 65_536


def any_text(value):
    return isinstance(value, str)


def read_receipt(value):
    return members(
        value, backend=lambda one: one in ("local", "rekor"), checkpoint=any_text, entry=lambda one: True,
        integrated_time=null_or(is_count), leaf_hash=any_text, log_id=any_text, log_index=is_count, tree_size=is_count,
        v=lambda one: type(one) is int and one == 1)


def parse_receipt(data):
    demand(len(data.decode("utf-8", "replace").encode("utf-16-le")) <= 2 * MAX_CHARS, "size")
    return read_receipt(strict(data, 4 * MAX_CHARS))


def read_root(text):
    """(URL, log id, SPKI) of the logs of a Sigstore trusted root."""
    logs = []
    for log in json.loads(text)["tlogs"]:
        if log["publicKey"]["keyDetails"] in ("PKIX_ED25519", "PKIX_ECDSA_P256_SHA_256"):
            id_ = log.get("checkpointKeyId", log["logId"])["keyId"]
            logs.append((log["baseUrl"], unb64(id_), unb64(log["publicKey"]["rawBytes"])))
    return logs


def signed_by(spki, message, signature):
    key = load_der_public_key(spki)
    if isinstance(key, edwards.Ed25519PublicKey):
        return ed25519(key.public_bytes(Encoding.Raw, PublicFormat.Raw), message, signature)
    return isinstance(key, ec.EllipticCurvePublicKey) and ecdsa(spki, message, signature)


def check_receipt(receipt, origin, spki, logs):
    """(size, root): the anchor key has signed the checkpoint, and the log has this very signature."""
    text, lines = parse_note(receipt["checkpoint"].encode("utf-8", "surrogatepass"))
    name, size, root = parse_checkpoint(text)
    demand(size == receipt["tree_size"], "size")
    demand(name == origin, "origin")
    id_ = hashlib.sha256(spki).digest()[:4]
    vkey = f"{origin}+{id_.hex()}+{b64(bytes([2]) + spki)}"
    verify_note(receipt["checkpoint"].encode(), [vkey])
    signature = next(one for who, line, one in lines if who == origin and line == id_)
    if receipt["backend"] == "local":
        check_local(receipt)
    else:
        check_rekor(receipt, text, signature, spki, logs)
    return size, root


def check_local(receipt):
    line = receipt["entry"]
    demand(isinstance(line, dict) and isinstance(line.get("payload"), dict), "line")
    demand(receipt["integrated_time"] is None, "a time that nobody signed")
    demand(line.get("note") == receipt["checkpoint"], "note")
    leaf = hashlib.sha256(canonical(line["payload"]).encode()).hexdigest()
    demand(line.get("leaf_hash") == leaf == receipt["leaf_hash"], "leaf")
    demand(isinstance(line.get("prev_hash"), str), "previous hash")
    chain = hashlib.sha256((line["prev_hash"] + leaf).encode()).hexdigest()
    demand(line.get("chain_hash") == chain, "chain")
    covered, index = line["payload"].get("covered_chain_seq"), line.get("index")
    demand(is_count(covered) and covered == receipt["tree_size"], "covered")
    demand(is_count(index) and index == receipt["log_index"], "index")


def from_hex(value):
    return bytes.fromhex(value) if isinstance(value, str) and HEX.fullmatch(value) else None


def from_base64(value):
    return unb64(value) if isinstance(value, str) else None


def plain(value):
    """A number of OpenAPI's JSON."""
    return value if is_count(value) else None


def proto(value):
    """A 64-bit number of protobuf's JSON: text or number, left out if it is zero."""
    if value is None:
        return 0
    return decimal(value) if isinstance(value, str) else plain(value)


def inner(value, name):
    found = value.get(name) if isinstance(value, dict) else None
    demand(isinstance(found, dict), name)
    return found


def path_of(value, read):
    demand(value is None or isinstance(value, list), "hashes")
    path = [read(one) for one in value or []]
    demand(all(one is not None and len(one) == 32 for one in path), "hashes")
    return path


def check_rekor(receipt, text, signature, spki, logs):
    entry = receipt["entry"]
    demand(isinstance(entry, dict), "entry")
    v2 = "canonicalizedBody" in entry
    digest = hashlib.sha256(text.encode()).digest()
    if v2:
        proof, number, read = inner(entry, "inclusionProof"), proto, from_base64
        body, log_id = from_base64(entry["canonicalizedBody"]), from_base64(inner(entry, "logId").get("keyId"))
        kind = inner(entry, "kindVersion")
        demand(kind.get("kind") == "hashedrekord" and kind.get("version") == "0.0.2", "kind")
        demand(proto(entry.get("integratedTime")) == 0, "time")
        time, checkpoint = None, inner(proof, "checkpoint").get("envelope")
        expected = body_v2(digest, signature, spki)
    else:
        verification = inner(entry, "verification")
        proof, number, read = inner(verification, "inclusionProof"), plain, from_hex
        body, log_id = from_base64(entry.get("body")), from_hex(entry.get("logID"))
        time, checkpoint = plain(entry.get("integratedTime")), proof.get("checkpoint")
        demand(time is not None, "time")
        expected = body_v1(digest, signature, spki)
    index, size = number(proof.get("logIndex")), number(proof.get("treeSize"))
    overall, root = number(entry.get("logIndex")), read(proof.get("rootHash"))
    demand(None not in (index, size, overall, root, body, log_id) and isinstance(checkpoint, str), "form")
    demand(body == expected.encode(), "body")
    leaf = hashlib.sha256(b"\0" + body).digest()
    demand(is_included(leaf, index, size, path_of(proof.get("hashes"), read), root), "inclusion")
    log = next((one for one in logs if one[1] == log_id and signs_root(one, checkpoint, size, root)), None)
    demand(log is not None, "checkpoint of the log")
    demand(not v2 or overall == index, "index")
    if not v2:
        stated = {"body": entry["body"], "integratedTime": time, "logID": log_id.hex(), "logIndex": overall}
        stamp = from_base64(verification.get("signedEntryTimestamp"))
        demand(stamp is not None and signed_by(log[2], canonical(stated).encode(), stamp), "timestamp")
    demand(receipt["log_index"] == overall and receipt["integrated_time"] == time, "what the receipt states")
    demand(receipt["leaf_hash"] == leaf.hex() and receipt["log_id"] == log_id.hex(), "what the receipt states")


def signs_root(log, checkpoint, size, root):
    url, id_, spki = log
    text, lines = parse_note(checkpoint.encode("utf-8", "surrogatepass"))
    stated = text.split("\n")
    if len(stated) < 4 or decimal(stated[1]) != size or unb64(stated[2]) != root:
        return False
    ours = [signature for name, hint, signature in lines if hint == id_[:4] and name in url]
    return bool(ours) and all(signed_by(spki, text.encode(), one) for one in ours)


def pem(spki):
    text = base64.b64encode(spki).decode()
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])


def body_v1(digest, signature, spki):
    hashed = {"hash": {"algorithm": "sha256", "value": digest.hex()}}
    signed = {"content": b64(signature), "publicKey": {"content": b64(pem(spki).encode())}}
    return canonical({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {"data": hashed, "signature": signed}})


def body_v2(digest, signature, spki):
    verifier = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "publicKey": {"rawBytes": b64(spki)}}
    record = {"data": {"algorithm": "SHA2_256", "digest": b64(digest)},
              "signature": {"content": b64(signature), "verifier": verifier}}
    return canonical({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": record}})
