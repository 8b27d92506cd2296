"""JSON with one spelling, RFC 8785, in which all numbers are whole and below 2^53."""
import json
import re

from notes import Refused, demand

MAX_DEPTH = 16
SURROGATE = re.compile("[\ud800-\udfff]")


def no_repeats(pairs):
    demand(len({name for name, _ in pairs}) == len(pairs), "a repeated member")
    return dict(pairs)


def canonical(value):
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        demand(abs(value) < 2**53, "number")
        return str(value)
    if isinstance(value, str):
        demand(not SURROGATE.search(value), "lone surrogate")
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    demand(isinstance(value, dict), "number")
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def strict(data, most):
    """The value of canonical JSON."""
    demand(len(data) <= most, "size")
    try:
        text = data.decode("utf-8")
        value = json.loads(text, object_pairs_hook=no_repeats)
        demand(depth(value) <= MAX_DEPTH, "depth")
    except (ValueError, RecursionError) as cause:
        raise Refused("JSON") from cause
    demand(canonical(value) == text, "canonical JSON")
    return value


def members(value, **checks):
    """An object with exactly these members."""
    demand(isinstance(value, dict) and set(value) == set(checks), "members")
    for name, check in checks.items():
        demand(check(value[name]), name)
    return value


def text_of(most):
    """Not empty, at most so many UTF-16 units."""
    return lambda value: isinstance(value, str) and 0 < len(value.encode("utf-16-le", "surrogatepass")) <= 2 * most


def is_count(value):
    return type(value) is int and 0 <= value < 2**53


def only(expected):
    return lambda value: type(value) is type(expected) and value == expected


def null_or(check):
    return lambda value: value is None or check(value)
