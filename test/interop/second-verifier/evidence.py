"""Evidence of kind `checkpoints`: two heads that one log has signed and that cannot both be."""
from names import unb64
from notes import demand, open_checkpoint
from strict_json import members, null_or, only, strict, text_of
from tree import Wrong, extends, roots_of_consistency

WORD = text_of(512)
NOTE = text_of(131_072)


def is_hash(value):
    raw = unb64(value) if isinstance(value, str) else None
    return raw is not None and len(raw) == 32


def is_path(value):
    return isinstance(value, list) and len(value) <= 64 and all(map(is_hash, value))


def is_peer(value):
    return bool(members(value, log_key=is_hash, node_id=WORD, origin=WORD))


def contradiction(data):
    """The class, a or b. Refused: whoever shows it may have garbled it."""
    said = members(
        strict(data, 16_777_216), **{"class": lambda one: one in ("accusation", "contradiction")}, event=WORD,
        kind=only("checkpoints"), notes=lambda one: isinstance(one, list) and len(one) <= 2 and all(map(NOTE, one)),
        path=null_or(is_path), peer=is_peer, reason=WORD, seen_from=WORD, v=only(1))
    origin, key = said["peer"]["origin"], unb64(said["peer"]["log_key"])
    demand(len(said["notes"]) == 2, "two notes")
    heads = [open_checkpoint(note.encode(), origin, key) for note in said["notes"]]
    (old, old_root), (new, new_root) = sorted(heads, key=lambda head: head[0])
    if old == new:
        demand(old_root != new_root, "one head")
        return "a"
    demand(said["path"] is not None and old > 0, "no path")
    shown = first_tree(old, new, [unb64(one) for one in said["path"]], old_root, new_root)
    demand(shown is not None and shown != old_root, "the path shows no other tree")
    return "b"


def first_tree(old, new, path, old_root, new_root):
    """
    The root of the first entries, as a path to the larger root shows it. RFC 9162 leaves it out of the path where the old
    tree is a subtree of the new one; what is to convict has it in front.
    """
    if extends(old, old_root, new, new_root, path):
        return old_root
    if old & (old - 1) == 0:
        return path[0] if path and extends(old, path[0], new, new_root, path[1:]) else None
    try:
        first, last = roots_of_consistency(old, new, path, old_root, True)
    except Wrong:
        return None
    return first if last == new_root else None
