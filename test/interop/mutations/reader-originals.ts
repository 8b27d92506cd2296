/** Valid bundles, receipts, policies and evidence, with fixed keys; and, to swap parts with, the same of other keys. */
import type { TrustOptions } from '../../../src/client/trust.ts';
import type { FactDraft } from '../../../src/drill/entry-draft.ts';
import { formatCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { appendSignature, cosign } from '../../../src/merkle/cosignature.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { sha256 } from '../../../src/merkle/hash.ts';
import { ALG_COSIGNATURE_V1, ALG_ECDSA, ALG_ED25519 } from '../../../src/merkle/note.ts';
import { formatTlogProof } from '../../../src/merkle/tlog-proof.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { peerIdOf } from '../../../src/transport/identity.ts';
import { pairEvidence } from '../../../src/verify/contradiction.ts';
import { encodeFactBundle, FACT_BUNDLE_KIND } from '../../../src/wire/fact-bundle.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import type { ReaderCase } from './readers.ts';
import { rekorV1, rekorV2 } from './rekor-entries.ts';

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');
const named = (name: string, key: string): LogSigner => createLogSigner(name, sha256(Buffer.from(key)));
const vkeyOf = ({ name, publicKey }: LogSigner, algorithm: number): string =>
  formatVerifierKey({ name, algorithm, publicKey });

const DRAFTS: readonly FactDraft[] = [
  {},
  { value_v: 'Ünïcode "quoted" \\ \u0007 \u{1f600}\n', scope: 'company' },
  { confidence: 0.1, valid_until: '2030-01-01T00:00:00+00:00', derived_from: ['a', 'b\tc'] },
  { confidence: 1e-5, garden_id: 'stigmem://acme.example/garden/incident-42', scope: 'team' },
  { attestation: { key_id: 'k1', signature: 'AAAA' }, value_type: 'number', value_v: '3.0' },
];
const SIZES = [1, 2, 3, 5, 8, 13, 21];
const PEER = new HonestPeer().appendMany(21, (i) => DRAFTS[i % DRAFTS.length] ?? {});
const FORK = PEER.fork(2).appendMany(19);
const STRANGER = new HonestPeer({ authority: 'evil.example' }).appendMany(21);
const WITNESSES = ['w1', 'w2', 'w3'].map((name) => named(`${name}.example/witness`, name));
const [REKOR_1, REKOR_2] = [rekorV1('rekor.example'), rekorV2('rekor2.example')];
const OTHER_REKORS = [rekorV1('rekor.other.example'), rekorV2('rekor2.other.example')];
const BOTH_ROOTS = JSON.stringify({
  tlogs: [REKOR_1, REKOR_2].flatMap(({ root }) => (JSON.parse(root) as { tlogs: object[] }).tlogs),
});
const PLACES = [
  [0, 1],
  [1, 2],
  [2, 5],
  [6, 7],
  [11, 16],
] as const;

function cosigned(peer: HonestPeer, size: number, witnesses: readonly LogSigner[]): string {
  const { checkpoint } = JSON.parse(peer.anchor(size)) as { checkpoint: string };
  const text = formatCheckpoint(peer.origin, size, peer.root(size));
  return witnesses.map((one, i) => cosign(text, 1_790_000_000 + i, one)).reduce(appendSignature, checkpoint);
}

function identityOf(peer: HonestPeer): { readonly peerId: string; readonly declaration: string } {
  const identity = named(peer.nodeId, `identity of ${peer.nodeId}`);
  const peerId = peerIdOf(identity.publicKey);
  return { peerId, declaration: peer.declaration(identity, peerId) };
}

const IDENTITY = identityOf(PEER);
const LOG_VKEY = vkeyOf(PEER.signer, ALG_ED25519);
const ANCHOR_VKEY = formatVerifierKey({
  name: PEER.origin,
  algorithm: ALG_ECDSA,
  publicKey: PEER.anchorSigner.publicKey,
});
const WITNESS_LINES = WITNESSES.map((one, i) => `witness W${i} ${vkeyOf(one, ALG_COSIGNATURE_V1)}`);
const POLICIES = [
  `log ${LOG_VKEY}\n${WITNESS_LINES.join('\n')}\ngroup two 2 W0 W1 W2\nquorum two\n`,
  `# ours\n\nlog\t${LOG_VKEY} https://acme.example/\n  ${WITNESS_LINES.join(' https://w.example/\n\t')}\ngroup any any W0 W1\ngroup all all any W2\nquorum all`,
  `log ${LOG_VKEY}\nlog ${vkeyOf(STRANGER.signer, ALG_ED25519)}\nquorum none\n`,
  `${WITNESS_LINES[1]}\nlog ${LOG_VKEY}\nquorum W1\n`,
];

const TRUSTS: readonly TrustOptions[] = [
  { logKeys: [LOG_VKEY] },
  { nodes: [{ nodeId: PEER.nodeId, peerId: IDENTITY.peerId }] },
  { logKeys: [LOG_VKEY], policy: POLICIES[0] ?? '' },
  { logKeys: [LOG_VKEY], anchors: { trustedRoot: BOTH_ROOTS, keys: [ANCHOR_VKEY] } },
  {
    nodes: [{ nodeId: PEER.nodeId, peerId: IDENTITY.peerId }],
    policy: POLICIES[1] ?? '',
    anchors: { trustedRoot: BOTH_ROOTS },
  },
];

function bundleOf(peer: HonestPeer, index: number, size: number, anchors: readonly string[]): string {
  const held = peer.entries[index];
  if (held === undefined) throw new Error('no such entry');
  return encodeFactBundle({
    anchors: anchors.map((text) => JSON.parse(text)),
    declaration: identityOf(peer).declaration,
    entry: Buffer.from(held.bytes).toString(),
    kind: FACT_BUNDLE_KIND,
    origin: null,
    proof: formatTlogProof({ index, path: peer.inclusion(index, size), checkpoint: cosigned(peer, size, WITNESSES) }),
    salt: base64(held.salt),
  });
}

const anchorsOf = (peer: HonestPeer, size: number): string[] => [
  peer.anchor(size),
  REKOR_1.receipt(peer, size, 2, 5),
  REKOR_2.receipt(peer, size, 6, 7),
];

function bundles(): ReaderCase[] {
  return SIZES.flatMap((size, i) => {
    const bundle = (anchors: readonly string[]): string => base64(bundleOf(PEER, (i * 7) % size, size, anchors));
    const [bare, anchored] = [bundle([PEER.anchor(size)]), bundle(anchorsOf(PEER, size))];
    return TRUSTS.map((trust) => ({ kind: 'bundle', bundle: trust.anchors === undefined ? bare : anchored, trust }));
  });
}

function anchors(): ReaderCase[] {
  const stated = {
    kind: 'anchor',
    origin: PEER.origin,
    key: base64(PEER.anchorSigner.publicKey),
    root: BOTH_ROOTS,
  } as const;
  return SIZES.flatMap((size, i) => {
    const [place, of] = PLACES[i % PLACES.length] ?? [0, 1];
    const texts = [PEER.anchor(size), REKOR_1.receipt(PEER, size, place, of), REKOR_2.receipt(PEER, size, place, of)];
    return texts.map((text) => ({ ...stated, receipt: base64(text) }));
  });
}

function policies(): ReaderCase[] {
  return SIZES.flatMap((size) =>
    POLICIES.map((policy) => ({
      kind: 'policy' as const,
      policy: base64(policy),
      note: base64(cosigned(PEER, size, WITNESSES)),
    })),
  );
}

/** Paths of the forked tree: they lead to its root, and not from the other's. */
function evidence(): ReaderCase[] {
  const log = { nodeId: PEER.nodeId, origin: PEER.origin, key: PEER.signer.publicKey };
  const same = SIZES.filter((size) => size > 2).map((size) =>
    pairEvidence(
      { notes: [PEER.checkpoint(size), FORK.checkpoint(size)], path: null },
      log,
      'checkpoint_split_view',
      'stigmem://globex.example',
    ),
  );
  const grown = [3, 5, 6, 13].map((old) => {
    const path = FORK.consistency(old, 21).map((hash) => Buffer.from(hash, 'base64'));
    const notes = [PEER.checkpoint(old), FORK.checkpoint(21)] as const;
    return pairEvidence({ notes, path }, log, 'consistency_proof_invalid', 'stigmem://globex.example');
  });
  // RFC 9162 leaves the root of a complete subtree out of the path: it is in front, so that it can be compared.
  const complete = [4, 8, 16].map((old) => {
    const path = [FORK.root(old), ...FORK.consistency(old, 21).map((hash) => Buffer.from(hash, 'base64'))];
    const notes = [PEER.checkpoint(old), FORK.checkpoint(21)] as const;
    return pairEvidence({ notes, path }, log, 'consistency_proof_invalid', 'stigmem://globex.example');
  });
  return [...same, ...grown, ...complete].map((text) => ({ kind: 'evidence', evidence: base64(text) }));
}

export function readerOriginals(): ReaderCase[] {
  return [...bundles(), ...anchors(), ...policies(), ...evidence()];
}

/** All heads that the log signed and evidence may be about: its own, and those of the fork. */
export const HEADS: readonly string[] = [PEER, FORK].flatMap((peer) =>
  peer.entries.map((_, i) => peer.checkpoint(i + 1)),
);

/** Texts whose parts a liar could put into a valid one: other keys, other trees, other logs. By kind. */
export function donors(): Readonly<Record<'bundle' | 'anchor' | 'evidence', readonly string[]>> {
  const log = { nodeId: STRANGER.nodeId, origin: STRANGER.origin, key: STRANGER.signer.publicKey };
  return {
    bundle: [PEER, FORK, STRANGER].flatMap((peer) =>
      [3, 21].map((size) => bundleOf(peer, 2, size, anchorsOf(peer, size))),
    ),
    anchor: [PEER, FORK, STRANGER].flatMap((peer) => [
      ...anchorsOf(peer, 5),
      ...OTHER_REKORS.map((rekor) => rekor.receipt(peer, 8, 1, 3)),
    ]),
    evidence: [
      pairEvidence(
        { notes: [STRANGER.checkpoint(5), STRANGER.checkpoint(8)], path: [] },
        log,
        'consistency_proof_invalid',
        'stigmem://x.example',
      ),
      pairEvidence(
        { notes: [PEER.checkpoint(8), FORK.checkpoint(13)], path: [FORK.root(3)] },
        log,
        'checkpoint_split_view',
        'stigmem://x.example',
      ),
    ],
  };
}
