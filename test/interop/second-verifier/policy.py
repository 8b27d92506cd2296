"""C2SP tlog-policy, and what a reader asks of a checkpoint."""
import base64
import re

from notes import COSIGNATURE, ED25519, cosigned, demand, parse_checkpoint, parse_note, read_vkey, verify_note

THRESHOLD = re.compile("[1-9][0-9]*")
ALLOWED_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
MAX_CHARS, MAX_LOGS, MAX_WITNESSES, MAX_GROUPS = 65_536, 256, 60, 256


class Policy:
    def __init__(self):
        self.logs, self.witnesses, self.groups = [], {}, {}
        self.members, self.quorum = set(), None

    def names(self):
        return {*self.witnesses, *self.groups}

    def define(self, name):
        demand(name != "none" and name not in self.names(), "name taken")

    def log(self, vkey, url=None):
        name, id_, algorithm, key = read_vkey(vkey)
        demand(algorithm == ED25519 and key not in [one[3] for one in self.logs], "log key")
        self.logs.append((name, id_, algorithm, key))
        demand(len(self.logs) <= MAX_LOGS, "logs")

    def witness(self, name, vkey, url=None):
        key = read_vkey(vkey)
        demand(key[2] == COSIGNATURE and key[3] not in [one[3] for one in self.witnesses.values()], "witness key")
        self.define(name)
        self.witnesses[name] = key
        demand(len(self.witnesses) <= MAX_WITNESSES, "witnesses")

    def group(self, name, rule, *listed):
        demand(listed, "members")
        for one in listed:
            demand(one in self.names() and one not in self.members, "member")
            self.members.add(one)
        self.define(name)
        count = {"any": "1", "all": str(len(listed))}.get(rule, rule)
        demand(THRESHOLD.fullmatch(count) and len(count) < 10 and int(count) <= len(listed), "threshold")
        self.groups[name] = (int(count), listed)
        demand(len(self.groups) <= MAX_GROUPS, "groups")

    def take_quorum(self, name):
        demand(self.quorum is None and (name == "none" or name in self.names()), "quorum")
        self.quorum = name


def parse_policy(text):
    demand(len(text.encode("utf-16-le")) <= 2 * MAX_CHARS and not ALLOWED_CONTROL.search(text), "characters")
    policy = Policy()
    take = {"log": policy.log, "witness": policy.witness, "group": policy.group, "quorum": policy.take_quorum}
    least = {"log": (1, 2), "witness": (2, 3), "group": (3, 10**9), "quorum": (1, 1)}
    for line in text.split("\n"):
        keyword, *words = re.sub("[ \t]+", " ", line).strip(" ").split(" ")
        if keyword == "" or keyword.startswith("#"):
            continue
        demand(keyword in take and least[keyword][0] <= len(words) <= least[keyword][1], "line")
        take[keyword](*words)
    demand(policy.quorum is not None, "no quorum")
    return policy


def has_cosigned(key, text, lines):
    """All lines of a witness have to be good: a bad one beside a good one is no word of it."""
    ours = [signature for name, id_, signature in lines if (name, id_) == key[:2]]
    return bool(ours) and all(cosigned(key[3], text.encode(), one) for one in ours)


def is_met(policy, text, lines):
    said = {"none": True}
    for name, key in policy.witnesses.items():
        said[name] = has_cosigned(key, text, lines)
    for name, (threshold, listed) in policy.groups.items():
        said[name] = sum(said[one] for one in listed) >= threshold
    return said[policy.quorum]


def vkey_of(key):
    name, id_, algorithm, raw = key
    return f"{name}+{id_.hex()}+{base64.b64encode(bytes([algorithm]) + raw).decode()}"


def check_reader(note, keys_for, policy):
    """(origin, size, root): signed by a log that is trusted for its origin, cosigned as the policy asks."""
    text, lines = parse_note(note)
    origin, size, root = parse_checkpoint(text)
    verify_note(note, [vkey_of(key) for key in keys_for(origin)])
    demand(policy is None or is_met(policy, text, lines), "quorum")
    return origin, size, root


def check_policy(data, note):
    try:
        policy = parse_policy(data.decode("utf-8"))
    except UnicodeDecodeError:
        policy = None
    demand(policy is not None and policy.logs, "nothing is trusted")
    check_reader(note, lambda origin: [log for log in policy.logs if log[0] == origin], policy)
