"""Entries: the decoder, the hashes, and the rules of one entry."""
import hashlib
import json
import re
from datetime import datetime, timezone

from names import Refused, authority_of, unb64

HASH = re.compile("sha256:[0-9a-f]{64}")
HLC = re.compile("[0-9]{13}\\.[0-9]{3}")
VALUE_TYPES = {"string", "text", "number", "boolean", "datetime", "ref", "null"}
GARDEN = re.compile("[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")


def python_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def hash_text(value):
    return "sha256:" + hashlib.sha256(python_json(value).encode()).hexdigest()


def text(value):
    return isinstance(value, str)


def null_or(check):
    return lambda value: value is None or check(value)


def is_hash(value):
    return text(value) and bool(HASH.fullmatch(value))


def count(value):
    return type(value) is int and 0 <= value < 2**53


def is_confidence(value):
    try:
        x = float(value) if text(value) else -1.0
    except ValueError:
        return False
    return 0 <= x <= 1 and repr(x) == value and value != "-0.0"


def is_object(**members):
    return lambda value: (isinstance(value, dict) and set(value) == set(members)
                          and all(check(value[key]) for key, check in members.items()))


def is_leaf(value):
    data = unb64(value) if text(value) else None
    return data is not None and len(data) == 32


MEMBERS = {
    "attestation": null_or(is_object(key_id=text, signature=text)),
    "chain_hash": is_hash, "chain_seq": count, "cid": text, "confidence": is_confidence, "created_at": text,
    "derived_from": lambda value: isinstance(value, list) and all(map(text, value)),
    "entity": text, "event_hash": is_hash, "fact_id": text, "feed_seq": count, "garden_id": null_or(text),
    "hlc": lambda value: text(value) and bool(HLC.fullmatch(value)), "interpret_as": text,
    "origin": null_or(is_object(chain_seq=count, leaf_hash=is_leaf, node_id=text)),
    "previous_hash": null_or(is_hash), "received_from": null_or(text), "relation": text, "scope": text,
    "source": text, "tenant_id": lambda value: value == "default", "timestamp": text,
    "v": lambda value: type(value) is int and value == 1, "valid_until": null_or(text), "value_type": text, "value_v": text,
}


def no_repeats(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise ValueError("a repeated member")
    return dict(pairs)


def whole_number(text):
    """`-0` is no decimal, and no spelling of one either."""
    return -1 if text == "-0" else int(text)


def decode_entry(data):
    if len(data) > 524_288:
        raise Refused("entry_malformed", "size")
    try:
        whole = data.decode("utf-8")
        entry = json.loads(whole, object_pairs_hook=no_repeats, parse_int=whole_number)
        spelled = python_json(entry).encode() == data
    except (ValueError, RecursionError) as cause:
        raise Refused("entry_malformed", str(cause)) from cause
    if not isinstance(entry, dict):
        raise Refused("entry_malformed", "no object")
    missing = entry.get("cid") is None
    for key, check in MEMBERS.items():
        if not (key == "cid" and missing) and not (key in entry and check(entry[key])):
            raise Refused("entry_malformed", key)
    if set(entry) - set(MEMBERS):
        raise Refused("entry_malformed", "members")
    if missing:
        raise Refused("cid_missing")
    if not spelled:
        raise Refused("entry_noncanonical")
    return entry


def cid_of(entry):
    body = {key: entry[key] for key in ("entity", "relation", "scope", "source", "value_type", "value_v")}
    return hash_text({**body, "confidence": float(entry["confidence"])})


def event_hash_of(entry):
    keys = ("cid", "entity", "fact_id", "relation", "scope", "source", "tenant_id", "value_type", "value_v")
    return hash_text({**{key: entry[key] for key in keys}, "confidence": float(entry["confidence"])})


def chain_hash_of(entry):
    keys = ("chain_seq", "created_at", "event_hash", "fact_id", "previous_hash", "tenant_id")
    return hash_text({key: entry[key] for key in keys})


def feed_of(entry):
    if entry["garden_id"] is None:
        return entry["scope"]
    slug = entry["garden_id"].rsplit("/", 1)[-1]
    return f"{entry['scope']}/{slug}" if GARDEN.fullmatch(slug) else None


def is_reserved(name):
    return name.startswith("stigmem:") and not name.startswith("stigmem://")


def moment(value):
    """Milliseconds since 1970; without an offset it is UTC."""
    parsed = datetime.fromisoformat(value)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp() * 1000


def check_entry(entry, before, rules):
    """The rules of an entry that is in the tree, in their order. `before`: (chain_seq, stated and
    computed chain_hash) of the last one."""
    if not HASH.fullmatch(entry["cid"]):
        raise Refused("cid_malformed")
    for field, computed in (("cid", cid_of), ("event_hash", event_hash_of), ("chain_hash", chain_hash_of)):
        if entry[field] != computed(entry):
            raise Refused(f"{field}_mismatch", entry[field])
    check_link(entry, before)
    if entry["origin"] is not None or entry["received_from"] is not None:
        raise Refused("origin_proof_invalid" if entry["scope"] == "public" else "scope_escalated")
    if entry["scope"] not in ("team", "company", "public"):
        raise Refused("scope_escalated")
    if feed_of(entry) != rules.feed or rules.feed not in rules.accept:
        raise Refused("scope_not_granted")
    if is_reserved(entry["entity"]) or is_reserved(entry["relation"]):
        raise Refused("namespace_reserved")
    if authority_of(entry["source"]) not in rules.namespaces:
        raise Refused("source_not_owned", entry["source"])
    check_sizes(entry, rules)
    if entry["interpret_as"] not in ("content", "instruction"):
        raise Refused("interpretation_invalid")
    check_value_type(entry)
    check_clock(entry, rules)


COMPARED = ("cid", "timestamp", "hlc", "interpret_as", "garden_id", "derived_from", "attestation", "valid_until")


def check_repeat(entry, seen):
    """True: it says again what is held under its fact id."""
    known = seen.get(entry["fact_id"])
    if known is None:
        return False
    if any(entry[key] != known[key] for key in COMPARED[:-1]):
        raise Refused("fact_rewritten")
    now, held = entry["valid_until"], known["valid_until"]
    if now == held:
        return True
    longer = held is not None and (now is None or moment(now) > moment(held))
    raise Refused("valid_until_extended" if longer else "fact_rewritten")


def is_instruction(entry):
    return (entry["interpret_as"] == "instruction" or entry["entity"].startswith("instruction:")
            or entry["relation"].startswith("instruction:"))


def check_link(entry, before):
    if (entry["previous_hash"] is None) != (entry["chain_seq"] == 1):
        raise Refused("chain_link_mismatch")
    if before is not None and before[0] == entry["chain_seq"] - 1 and entry["previous_hash"] not in before[1:]:
        raise Refused("chain_link_mismatch")


def check_sizes(entry, rules):
    limits = {"value_v": rules.max_value_bytes, "entity": 2048, "relation": 2048, "source": 2048, "fact_id": 256,
              "timestamp": 256, "created_at": 256, "valid_until": 256}
    if any(len((entry[key] or "").encode()) > most for key, most in limits.items()):
        raise Refused("value_too_large")
    if len(entry["derived_from"]) > 64 or any(len(one.encode()) > 256 for one in entry["derived_from"]):
        raise Refused("value_too_large")


def check_value_type(entry):
    try:
        if entry["valid_until"] is not None:
            moment(entry["valid_until"])
    except ValueError as cause:
        raise Refused("entry_malformed", "valid_until") from cause
    if entry["value_type"] not in VALUE_TYPES:
        raise Refused("entry_malformed", "value_type")


def check_clock(entry, rules):
    wall = int(entry["hlc"][:13])
    if wall - rules.now_ms > 300_000 or wall > 9_000_000_000_000:
        raise Refused("hlc_future")
    try:
        taken = min(rules.now_ms, moment(entry["created_at"]))
    except ValueError:
        taken = rules.now_ms
    if taken - wall > 2_592_000_000:
        raise Refused("hlc_past")
