"""RFC 9162 trees: leaf hashes and the three kinds of proof, by their recursive definitions."""
import hashlib

EMPTY_ROOT = hashlib.sha256().digest()


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(salt, entry):
    commitment = sha256(b"stigmem-entry/v1\n" + salt + entry)
    return sha256(b"\x00" + b"\x01" + commitment)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def split(size):
    """The largest power of two below size."""
    return 1 << ((size - 1).bit_length() - 1)


class Wrong(Exception):
    """A proof of the wrong length."""


def root_of_path(leaf, index, size, path):
    if size == 1:
        if path:
            raise Wrong
        return leaf
    if not path:
        raise Wrong
    k = split(size)
    if index < k:
        return node_hash(root_of_path(leaf, index, k, path[:-1]), path[-1])
    return node_hash(path[-1], root_of_path(leaf, index - k, size - k, path[:-1]))


def is_included(leaf, index, size, path, root):
    try:
        return 0 <= index < size and root_of_path(leaf, index, size, path) == root
    except Wrong:
        return False


def roots_of_consistency(old, new, path, old_root, whole):
    """(old root, new root) that the path leads to; `whole`: the old tree is a subtree that the verifier has."""
    if old == new:
        if whole:
            if path:
                raise Wrong
            return old_root, old_root
        if len(path) != 1:
            raise Wrong
        return path[0], path[0]
    if not path:
        raise Wrong
    k = split(new)
    if old <= k:
        left_old, left_new = roots_of_consistency(old, k, path[:-1], old_root, whole)
        return left_old, node_hash(left_new, path[-1])
    right_old, right_new = roots_of_consistency(old - k, new - k, path[:-1], old_root, False)
    return node_hash(path[-1], right_old), node_hash(path[-1], right_new)


def extends(old, old_root, new, new_root, path):
    if old == 0 or old == new:
        return not path and old_root == (EMPTY_ROOT if old == 0 else new_root)
    try:
        return roots_of_consistency(old, new, path, old_root, True) == (old_root, new_root)
    except Wrong:
        return False


def fold_page(size, indexes, leaves, proof):
    """The root that listed leaves and a page proof lead to, or None."""
    listed, hashes = list(zip(indexes, leaves)), list(proof)

    def root(low, high):
        if not listed or listed[0][0] >= high:
            return hashes.pop(0)
        if high - low == 1:
            return listed.pop(0)[1]
        middle = low + split(high - low)
        left = root(low, middle)
        return node_hash(left, root(middle, high))

    try:
        found = root(0, size)
    except IndexError:
        return None
    return None if listed or hashes else found


def root_of(leaves):
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node_hash(root_of(leaves[:k]), root_of(leaves[k:]))


def inclusion_proof(leaves, index):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*inclusion_proof(leaves[:k], index), root_of(leaves[k:])]
    return [*inclusion_proof(leaves[k:], index - k), root_of(leaves[:k])]


def consistency_proof(leaves, old, whole=True):
    if old in (0, len(leaves)):
        return [] if whole else [root_of(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*consistency_proof(leaves[:k], old, whole), root_of(leaves[k:])]
    return [*consistency_proof(leaves[k:], old - k, False), root_of(leaves[:k])]


def page_proof(leaves, indexes, low=0):
    """The hashes of the largest subtrees without a listed leaf, left to right."""
    high = low + len(leaves)
    if not any(low <= index < high for index in indexes):
        return [root_of(leaves)]
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return page_proof(leaves[:k], indexes, low) + page_proof(leaves[k:], indexes, low + k)
