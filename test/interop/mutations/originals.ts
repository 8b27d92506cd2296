/** Valid cases of every kind, made by the product's own code with fixed keys. */
import { createHash } from 'node:crypto';
import { signCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { appendSignature, cosign } from '../../../src/merkle/cosignature.ts';
import { createAnchorSigner, signAnchor } from '../../../src/merkle/ecdsa.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { signFeedHead } from '../../../src/merkle/feed-head.ts';
import { consistencyProof, inclusionProof, pageProof, rootOf } from '../../../src/merkle/leaf-list.ts';
import { ALG_COSIGNATURE_V1, ALG_ECDSA, ALG_ED25519 } from '../../../src/merkle/note.ts';
import { formatTlogProof } from '../../../src/merkle/tlog-proof.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import type { Original } from './mutate.ts';
import { readerOriginals } from './reader-originals.ts';

const ORIGIN = 'acme.example/journal/00000000000000aa';
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');
const LOG = createLogSigner(ORIGIN, sha256('log'));
const WITNESS = createLogSigner('globex.example/witness', sha256('witness'));
const ANCHOR = createAnchorSigner(ORIGIN, sha256('anchor'));
const VKEYS = {
  log: formatVerifierKey({ name: ORIGIN, algorithm: ALG_ED25519, publicKey: LOG.publicKey }),
  witness: formatVerifierKey({ name: WITNESS.name, algorithm: ALG_COSIGNATURE_V1, publicKey: WITNESS.publicKey }),
  anchor: formatVerifierKey({ name: ORIGIN, algorithm: ALG_ECDSA, publicKey: ANCHOR.publicKey }),
};
const LEAVES = Array.from({ length: 70 }, (_, i) => sha256(`leaf ${i}`));
const SIZES = [1, 2, 3, 4, 7, 8, 31, 64, 65, 70];

/** Signed by everybody, with a line of a key that no reader knows. */
function cosignedNote(size: number): string {
  const bare = signCheckpoint(ORIGIN, size, rootOf(LEAVES, size), LOG);
  const text = bare.slice(0, bare.lastIndexOf('\n\n') + 1);
  const lines = [signAnchor(text, ANCHOR), cosign(text, 1_790_000_000 + size, WITNESS)];
  const whole = lines.reduce(appendSignature, bare);
  const unknown = cosign(text, 1_790_000_000, createLogSigner('nobody.example/witness', sha256('nobody')));
  return appendSignature(whole, unknown);
}

function notes(): Original[] {
  return SIZES.flatMap((size) => {
    const note = base64(cosignedNote(size));
    const bare = base64(signCheckpoint(ORIGIN, size, rootOf(LEAVES, size), LOG));
    const key = base64(LOG.publicKey);
    const head = {
      origin: ORIGIN,
      feed: 'company/incident-42',
      length: size,
      size,
      lastLeaf: LEAVES[size - 1] ?? null,
    };
    return [
      { case: { kind: 'parse', note } },
      { case: { kind: 'note', note, vkeys: Object.values(VKEYS) } },
      { case: { kind: 'note', note, vkeys: [VKEYS.anchor] } },
      { case: { kind: 'checkpoint', note, origin: ORIGIN, key } },
      { case: { kind: 'checkpoint', note: bare, origin: ORIGIN, key } },
      { case: { kind: 'feed_head', note: base64(signFeedHead(head, LOG)), origin: ORIGIN, key } },
    ] satisfies Original[];
  });
}

function proofs(): Original[] {
  return SIZES.flatMap((size) => {
    const index = Math.floor(size / 2);
    const [leaf, root] = [base64(LEAVES[index] ?? ''), base64(rootOf(LEAVES, size))];
    const path = inclusionProof(LEAVES, index, size);
    const old = Math.max(1, Math.floor((size * 2) / 3));
    const indexes = [...new Set([0, index, size - 1])];
    const consistency = { old, old_root: base64(rootOf(LEAVES, old)), new: size, new_root: root };
    const text = formatTlogProof({ index, path, checkpoint: cosignedNote(size) });
    return [
      { case: { kind: 'inclusion', leaf, index, size, path: path.map(base64), root } },
      { case: { kind: 'consistency', ...consistency, path: consistencyProof(LEAVES, old, size).map(base64) } },
      {
        case: {
          kind: 'page',
          size,
          indexes,
          leaves: indexes.map((i) => base64(LEAVES[i] ?? '')),
          path: pageProof(LEAVES, indexes, size).map(base64),
          root,
        },
      },
      { case: { kind: 'tlog_proof', proof: base64(text), leaf, origin: ORIGIN, key: base64(LOG.publicKey) } },
    ] satisfies Original[];
  });
}

export function originals(): Original[] {
  return [...notes(), ...proofs(), ...readerOriginals().map((one) => ({ case: one }))];
}
