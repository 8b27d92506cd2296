/** `peers/<name>.toml`: one partner, what it may read and what is taken from it. Empty lists mean nobody and nothing. */
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { FeedGrant as Grant } from '../core/disclosure.ts';
import { MAX_PAGE_ENTRIES, MAX_VALUE_BYTES } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import { ANCHOR_BACKENDS, type AnchorBackendName } from '../merkle/anchor-receipt.ts';
import { parsePolicy } from '../merkle/tlog-policy.ts';
import { mayStateTime, parseTrustedRoot } from '../merkle/trusted-root.ts';
import { addressFault, authorityFault, nodeIdFault, peerIdFault, peerIdIn } from './checks.ts';
import { explainFaults, text, toFault } from './fault.ts';
import { GRANT_FORM, readGrant } from './grant.ts';
import { type ConfigProblem, shownPath } from './problem.ts';
import { readTomlFile, type TomlFile } from './toml-file.ts';
import { readTrustRoot } from './trust-root-file.ts';

export interface PeerFile {
  /** The file's name without `.toml`: what operators call this peer. */
  readonly name: string;
  readonly nodeId: string;
  readonly authority: string;
  /** `12D3Koo…`: the Ed25519 key it must prove on every connection. */
  readonly peerId: string;
  readonly addresses: readonly string[];
  /** Who named the addresses. Those of an operator may be inside of networks; see `network.allow_addresses`. */
  readonly addressesFrom: 'operator' | 'peer';
  /** Authorities whose facts it may author. */
  readonly namespaces: readonly string[];
  /** Feeds it may read from us. */
  readonly share: readonly Grant[];
  /** Feeds we take from it. */
  readonly accept: readonly Grant[];
  /** Log key to insist on, as a C2SP vkey; null: the one in its first signed declaration is kept from then on. */
  readonly logKey: string | null;
  /** Kept in the folder but neither dialled nor let in. */
  readonly disabled: boolean;
  /** It may read feeds of the scope `team` that `share` grants; without it they are refused. */
  readonly allowTeam: boolean;
  /** It may relay what it reads of our public facts: a permit is signed for it. */
  readonly relay: boolean;
  /** Null: the node's own limits. */
  readonly limits: { readonly maxValueBytes: number | null; readonly pageEntries: number | null };
  /** What its checkpoints have to carry before a page is taken. */
  readonly policy: {
    /** Text of a C2SP tlog-policy; null: no cosignatures are asked for. */
    readonly witnesses: string | null;
    /** null: no anchors are asked for. */
    readonly anchors: PeerAnchorPolicy | null;
  };
}

/** One of these transparency logs has to have a checkpoint of the peer. */
export interface PeerAnchorPolicy {
  readonly backends: readonly AnchorBackendName[];
  /** As written; relative paths start at the folder of the peer file. */
  readonly trustRootFile: string | null;
  /** What is in that file: a Sigstore trusted_root.json. Null if there is none, and until it has been read. */
  readonly trustRoot: string | null;
  /** Seconds; null: the time does not matter. */
  readonly maxAgeS: number | null;
}

export const PEER_SUFFIX = '.toml';
/** The shell's completion has it, too. */
export const PEER_NAME: RegExp = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const MAX_ANCHOR_AGE_S = 31_536_000;
/** A C2SP verifier key: name, key hash, base64. */
const VKEY = /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$/;

/** Why a text cannot name a peer, or null. `self` is this node. */
export function peerNameFault(name: string): string | null {
  if (name === 'self') return '"self" is this node';
  return PEER_NAME.test(name)
    ? null
    : 'a peer name is lower-case letters, digits, dots, hyphens and underscores, at most 63';
}

const grants = z.array(z.unknown().transform(toGrant)).max(256).default([]);

const schema = z.strictObject({
  node_id: text(nodeIdFault),
  peer_id: text(peerIdFault),
  addresses: z.array(text(addressFault)).max(16).default([]),
  addresses_from: z.enum(['operator', 'peer']).default('operator'),
  namespaces: z.array(text(authorityFault)).max(64).default([]),
  share: grants,
  accept: grants,
  log_key: text((value) => (VKEY.test(value) ? null : 'it has three parts joined by +')).optional(),
  relay: z.boolean().default(false),
  disabled: z.boolean().default(false),
  allow_team: z.boolean().default(false),
  limits: z
    .strictObject({
      max_value_bytes: z.int().min(1).max(MAX_VALUE_BYTES).optional(),
      page_entries: z.int().min(1).max(MAX_PAGE_ENTRIES).optional(),
    })
    .prefault({}),
  policy: z
    .strictObject({
      witnesses: text(policyFault).optional(),
      anchors: z.array(z.enum(ANCHOR_BACKENDS)).max(2).default([]),
      anchor_trust_root: z.string().min(1).optional(),
      anchor_max_age_s: z.int().min(1).max(MAX_ANCHOR_AGE_S).optional(),
    })
    .prefault({}),
});

function policyFault(value: string): string | null {
  const parsed = parsePolicy(value);
  if (parsed.ok) return null;
  const { line, message } = parsed.error;
  return line === 0 ? message : `line ${line}: ${message}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  node_id: 'the partner’s node id such as "stigmem://globex.example"',
  peer_id: 'the partner’s peer id, "12D3Koo…"',
  addresses: 'a list of TCP multiaddrs such as ["/dns4/peerd.globex.example/tcp/4101"]',
  addresses_from: '"operator" or "peer"',
  namespaces: 'a list of authorities such as ["globex.example"]',
  share: `a list of grants, each ${GRANT_FORM}`,
  accept: `a list of grants, each ${GRANT_FORM}`,
  log_key: 'a verifier key "<origin>+<8 hex>+<base64>"',
  relay: 'true or false',
  disabled: 'true or false',
  allow_team: 'true or false',
  limits: 'a section, written [limits]',
  'limits.max_value_bytes': `bytes from 1 to ${MAX_VALUE_BYTES}`,
  policy: 'a section, written [policy]',
  'policy.witnesses': 'a C2SP tlog-policy, its lines between three quotation marks',
  'policy.anchors': 'a list of "local" and "rekor"',
  'policy.anchor_trust_root': 'a path of a Sigstore trusted_root.json',
  'policy.anchor_max_age_s': `seconds from 1 to ${MAX_ANCHOR_AGE_S}`,
  'limits.page_entries': `a number from 1 to ${MAX_PAGE_ENTRIES}`,
};

/** Reads `peers/<name>.toml`. Reports the faults of the file, not the first alone. */
export function readPeerFile(path: string): Result<PeerFile, readonly ConfigProblem[]> {
  const file = readTomlFile(path);
  if (!file.ok) return err([file.error.problem]);
  const checked = checkPeerFile(path, file.value);
  return checked.ok ? withTrustRoot(path, checked.value) : checked;
}

/** Checks a parsed peer file. Pure. @param path its base name names the peer */
export function checkPeerFile(path: string, file: TomlFile): Result<PeerFile, readonly ConfigProblem[]> {
  const name = basename(path, PEER_SUFFIX);
  const nameFault = peerNameFault(name);
  if (nameFault !== null) {
    const message = `the file’s name cannot be a peer’s name: ${nameFault}`;
    return err([{ where: path, key: null, message, fix: 'Rename the file.' }]);
  }
  const whereIs = (key: string): string => {
    const line = file.lines.get(key);
    return line === undefined ? path : `${path}:${line}`;
  };
  const checked = schema.safeParse(file.tree);
  if (!checked.success) {
    const expected = (key: string): string => EXPECTED[key] ?? 'a known key';
    const context = {
      tree: file.tree,
      whereIs,
      expected,
      knownKeys: Object.keys(EXPECTED),
      reference: 'peers/README.md',
    };
    return err(explainFaults(path, checked.error.issues.map(toFault), context));
  }
  const problems = contradictions(checked.data, whereIs);
  return problems.length > 0 ? err(problems) : ok(toPeerFile(name, checked.data));
}

function toGrant(value: unknown, ctx: z.core.ParsePayload & { issues: z.core.$ZodRawIssue[] }): Grant {
  const read = readGrant(value);
  if (read.ok) return read.value;
  ctx.issues.push({ code: 'custom', message: read.error, input: value });
  return z.NEVER;
}

/** Reads the file that a policy names. It is read again when the peer file changes. */
function withTrustRoot(path: string, peer: PeerFile): Result<PeerFile, readonly ConfigProblem[]> {
  const { anchors } = peer.policy;
  if (anchors?.trustRootFile == null) return ok(peer);
  const where = resolve(dirname(path), anchors.trustRootFile);
  const read = readTrustRoot(where);
  if (read.ok) {
    const timeless = anchors.maxAgeS !== null && !statesTime(read.value);
    if (timeless) return err([timelessProblem(path, where)]);
    return ok({ ...peer, policy: { ...peer.policy, anchors: { ...anchors, trustRoot: read.value } } });
  }
  const message = `policy.anchor_trust_root: expected a Sigstore trusted_root.json, got ${read.error}`;
  const fix = 'Get the trust root of that log from whoever runs it, and not from this peer.';
  return err([{ where: shownPath(where), key: 'policy.anchor_trust_root', message, fix }]);
}

function statesTime(trustRoot: string): boolean {
  const logs = parseTrustedRoot(trustRoot);
  return logs.ok && logs.value.some(mayStateTime);
}

/** It would refuse every page. */
function timelessProblem(path: string, trustRoot: string): ConfigProblem {
  const message = `policy.anchor_max_age_s is set, but every log in ${trustRoot} is a Rekor v2, which signs no time: no anchor could be new enough`;
  const fix = 'Leave anchor_max_age_s out, or name the trust root of a Rekor v1.';
  return { where: path, key: 'policy.anchor_max_age_s', message, fix };
}

/** Rules that no single key breaks. */
function contradictions(peer: z.output<typeof schema>, whereIs: (key: string) => string): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const other = peer.addresses.find((address) => (peerIdIn(address) ?? peer.peer_id) !== peer.peer_id);
  if (other !== undefined) {
    const message = `addresses: ${shownPath(other)} ends in another peer id than peer_id, ${peer.peer_id}`;
    const fix = 'Ask the partner which is right (`peer show self`), and leave /p2p/… out of addresses.';
    problems.push({ where: whereIs('addresses'), key: 'addresses', message, fix });
  }
  if (peer.relay && !peer.share.some(({ feed }) => feed === 'public')) {
    const message = 'relay is true, but share does not name public: there is nothing that it could relay';
    problems.push({
      where: whereIs('relay'),
      key: 'relay',
      message,
      fix: 'Add "public" to share, or leave relay out.',
    });
  }
  const team = peer.share.find(({ feed }) => feed === 'team' || feed.startsWith('team/'));
  if (team !== undefined && !peer.allow_team) {
    const message = `share: ${team.feed} is for this organisation alone, and the file does not say allow_team = true`;
    const fix = 'Take it out of share, or add allow_team = true if this partner shall read team facts.';
    problems.push({ where: whereIs('share'), key: 'allow_team', message, fix });
  }
  const { anchors, anchor_trust_root, anchor_max_age_s } = peer.policy;
  if (anchors.includes('rekor') !== (anchor_trust_root !== undefined)) {
    const missing = anchor_trust_root === undefined;
    const message = missing
      ? 'policy.anchors names "rekor", but policy.anchor_trust_root is not set: nothing could be verified'
      : 'policy.anchor_trust_root is set, but policy.anchors does not name "rekor"';
    const fix = missing ? 'Set it to the path of that log’s trusted_root.json.' : 'Add "rekor" to policy.anchors.';
    problems.push({ where: whereIs('policy.anchors'), key: 'policy.anchor_trust_root', message, fix });
  }
  if (!anchors.includes('rekor') && anchor_max_age_s !== undefined) {
    const message =
      'policy.anchor_max_age_s is set, but policy.anchors does not name "rekor": no other log signs a time';
    const fix = 'Add "rekor" to policy.anchors, or leave anchor_max_age_s out.';
    problems.push({ where: whereIs('policy.anchor_max_age_s'), key: 'policy.anchors', message, fix });
  }
  const isAuthor = peer.accept.some(({ feed }) => !feed.startsWith('from/'));
  if (isAuthor && peer.namespaces.length === 0) {
    const message = 'accept names feeds, but namespaces is empty: every fact would be refused as source_not_owned';
    const fix = `Add namespaces = ["${peer.node_id.slice('stigmem://'.length)}"], or empty accept.`;
    problems.push({ where: whereIs('accept'), key: 'namespaces', message, fix });
  }
  return problems;
}

function toPeerFile(name: string, peer: z.output<typeof schema>): PeerFile {
  return {
    name,
    nodeId: peer.node_id,
    authority: peer.node_id.slice('stigmem://'.length),
    peerId: peer.peer_id,
    addresses: peer.addresses,
    namespaces: peer.namespaces,
    share: peer.share,
    accept: peer.accept,
    logKey: peer.log_key ?? null,
    disabled: peer.disabled,
    allowTeam: peer.allow_team,
    addressesFrom: peer.addresses_from,
    relay: peer.relay,
    limits: { maxValueBytes: peer.limits.max_value_bytes ?? null, pageEntries: peer.limits.page_entries ?? null },
    policy: { witnesses: peer.policy.witnesses ?? null, anchors: toAnchorPolicy(peer.policy) },
  };
}

function toAnchorPolicy(policy: z.output<typeof schema>['policy']): PeerAnchorPolicy | null {
  if (policy.anchors.length === 0) return null;
  return {
    backends: policy.anchors,
    trustRootFile: policy.anchor_trust_root ?? null,
    trustRoot: null,
    maxAgeS: policy.anchor_max_age_s ?? null,
  };
}
