/** Receipts of transparency logs in the form of the real ones (test/interop/anchor-rekor), by logs with keys of this test. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { canonicalJson, type PlainJson } from '../../../src/core/canonical-json.ts';
import { type AnchorReceipt, formatAnchorReceipt } from '../../../src/merkle/anchor-receipt.ts';
import { createAnchorSigner } from '../../../src/merkle/ecdsa.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { leafHash, sha256 } from '../../../src/merkle/hash.ts';
import { inclusionProof, rootOf } from '../../../src/merkle/leaf-list.ts';
import { formatNote, parseNote, signEd25519 } from '../../../src/merkle/note.ts';
import { rekorBody } from '../../../src/merkle/rekor-entry.ts';
import type { HonestPeer } from '../../support/honest-peer.ts';
import { keyLogId, noteLogId, trustedRoot } from '../programs/trusted-root.ts';

const INTEGRATED_TIME = 1_790_000_000;
const EDWARDS_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** A log of one version. */
export interface StandIn {
  /** JSON of its trusted root. */
  readonly root: string;
  /** Canonical JSON of a receipt for the checkpoint of that size. @param place of the leaf, in a log of `size` leaves */
  receipt(peer: HonestPeer, of: number, place: number, size: number): string;
}

/** @param name makes its keys */
export function rekorV1(name: string): StandIn {
  const seed = sha256(Buffer.from(`${name} v1`));
  const signer = createAnchorSigner(name, seed);
  // The same signatures each time: parts of two texts are told apart.
  const signed = (text: string): Uint8Array => p256.sign(Buffer.from(text), seed, { format: 'der' });
  const publicKey = createPublicKey({ key: Buffer.from(signer.publicKey), format: 'der', type: 'spki' });
  const logId = keyLogId(publicKey);
  const entryOf = (body: Buffer, place: number, size: number): PlainJson => {
    const leaves = leavesWith(body, place, size);
    const text = `${name} - 2605736670972794746\n${size}\n${rootOf(leaves, size).toString('base64')}\n`;
    const line = { name, keyId: logId.readUInt32BE(), signature: signed(text) };
    const checkpoint = formatNote({ text, signatures: [line] });
    const logIndex = 1_000_000 + place;
    const stated = {
      body: body.toString('base64'),
      integratedTime: INTEGRATED_TIME,
      logID: logId.toString('hex'),
      logIndex,
    };
    const hashes = inclusionProof(leaves, place, size).map((hash) => hash.toString('hex'));
    const rootHash = rootOf(leaves, size).toString('hex');
    const proof = { checkpoint, hashes, logIndex: place, rootHash, treeSize: size };
    const signedEntryTimestamp = Buffer.from(signed(canonicalJson(stated))).toString('base64');
    const uuid = `24296fb24b8ad77a${leafHash(body).toString('hex')}`;
    return { ...stated, uuid, verification: { inclusionProof: proof, signedEntryTimestamp } };
  };
  return {
    root: JSON.stringify(
      trustedRoot({ baseUrl: `https://${name}`, publicKey, keyDetails: 'PKIX_ECDSA_P256_SHA_256', logId }),
    ),
    receipt: (peer, of, place, size) => {
      const index = 1_000_000 + place;
      const times = { integrated_time: INTEGRATED_TIME, log_id: logId.toString('hex'), log_index: index };
      return receiptText(peer, of, 1, times, (body) => entryOf(body, place, size));
    },
  };
}

/** @param name makes its keys */
export function rekorV2(name: string): StandIn {
  const signer: LogSigner = createLogSigner(name, sha256(Buffer.from(`${name} v2`)));
  const spki = Buffer.concat([EDWARDS_SPKI, signer.publicKey]);
  const publicKey: KeyObject = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const logId = noteLogId(name, publicKey);
  const entryOf = (body: Buffer, place: number, size: number): PlainJson => {
    const leaves = leavesWith(body, place, size);
    const rootHash = rootOf(leaves, size).toString('base64');
    const text = `${name}\n${size}\n${rootHash}\n`;
    const envelope = formatNote({ text, signatures: [signEd25519(text, signer)] });
    return {
      canonicalizedBody: body.toString('base64'),
      inclusionProof: {
        checkpoint: { envelope },
        hashes: inclusionProof(leaves, place, size).map((hash) => hash.toString('base64')),
        logIndex: String(place),
        rootHash,
        treeSize: String(size),
      },
      kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
      logId: { keyId: logId.toString('base64') },
      logIndex: String(place),
    };
  };
  return {
    root: JSON.stringify(trustedRoot({ baseUrl: `https://${name}`, publicKey, keyDetails: 'PKIX_ED25519', logId })),
    receipt: (peer, of, place, size) => {
      const stated = { integrated_time: null, log_id: logId.toString('hex'), log_index: place };
      return receiptText(peer, of, 2, stated, (body) => entryOf(body, place, size));
    },
  };
}

function leavesWith(body: Buffer, place: number, size: number): Buffer[] {
  return Array.from({ length: size }, (_, i) => leafHash(i === place ? body : Buffer.from(`other entry ${i}`)));
}

function receiptText(
  peer: HonestPeer,
  of: number,
  version: 1 | 2,
  stated: Pick<AnchorReceipt, 'integrated_time' | 'log_id' | 'log_index'>,
  entryOf: (body: Buffer) => PlainJson,
): string {
  const { checkpoint } = JSON.parse(peer.anchor(of)) as AnchorReceipt;
  const note = parseNote(checkpoint);
  const line = note.ok ? note.value.signatures.find(({ keyId }) => keyId === peer.anchorSigner.keyId) : undefined;
  if (!note.ok || line === undefined) throw new Error('a receipt has the line of its anchor key');
  const { publicKey } = peer.anchorSigner;
  const body = Buffer.from(rekorBody(version, { text: note.value.text, signature: line.signature, publicKey }));
  const leaf_hash = leafHash(body).toString('hex');
  const entry = entryOf(body);
  return formatAnchorReceipt({ backend: 'rekor', checkpoint, entry, ...stated, leaf_hash, tree_size: of, v: 1 });
}
