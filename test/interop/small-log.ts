/** A small log made with our own Merkle code, its checkpoints signed by its log key and its anchor key. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatCheckpoint, signCheckpoint } from '../../src/merkle/checkpoint.ts';
import { appendSignature } from '../../src/merkle/cosignature.ts';
import { type AnchorSigner, createAnchorSigner, signAnchor } from '../../src/merkle/ecdsa.ts';
import { createLogSigner, type LogSigner } from '../../src/merkle/ed25519.ts';
import { encodeEntryBundle } from '../../src/merkle/entry-bundle.ts';
import { leafHash, sha256 } from '../../src/merkle/hash.ts';
import { consistencyProof, inclusionProof, rootOf, tilesOf } from '../../src/merkle/leaf-list.ts';
import { ALG_ED25519 } from '../../src/merkle/note.ts';
import { TILE_HASHES, tilePath, tileWidth } from '../../src/merkle/tiles.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';

export interface SmallLog {
  readonly origin: string;
  readonly signer: LogSigner;
  readonly anchor: AnchorSigner;
  /** verifier key of the log */
  readonly vkey: string;
  readonly entries: readonly Buffer[];
  root(size: number): Buffer;
  /** The text that is signed. */
  text(size: number): string;
  checkpoint(size: number): string;
  consistency(oldSize: number, size: number): Buffer[];
  inclusion(index: number, size: number): Buffer[];
}

/** @param name makes the keys and entries: another name is another log */
export function smallLog(name: string, size: number): SmallLog {
  const origin = `${name}/journal/00000000000000bb`;
  const signer = createLogSigner(origin, sha256(Buffer.from(`${name} log`)));
  const anchor = createAnchorSigner(origin, sha256(Buffer.from(`${name} anchor`)));
  const entries = Array.from({ length: size }, (_, i) => Buffer.from(`${name} entry ${i}`));
  const leaves = entries.map((entry) => leafHash(entry));
  const text = (at: number): string => formatCheckpoint(origin, at, rootOf(leaves, at));
  return {
    origin,
    signer,
    anchor,
    vkey: formatVerifierKey({ name: origin, algorithm: ALG_ED25519, publicKey: signer.publicKey }),
    entries,
    root: (at) => rootOf(leaves, at),
    text,
    checkpoint: (at) =>
      appendSignature(signCheckpoint(origin, at, rootOf(leaves, at), signer), signAnchor(text(at), anchor)),
    consistency: (from, to) => consistencyProof(leaves, from, to),
    inclusion: (index, at) => inclusionProof(leaves, index, at),
  };
}

/** Writes the log as C2SP tlog-tiles files. */
export function publish(log: SmallLog, size: number, folder: string): void {
  const write = (path: string, bytes: Uint8Array | string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  const tiles = tilesOf(log.entries.slice(0, size).map((entry) => leafHash(entry)));
  for (let level = 0; tileWidth(level, 0, size) > 0; level++)
    for (let index = 0; tileWidth(level, index, size) > 0; index++) {
      const width = tileWidth(level, index, size);
      write(tilePath(level, index, width), tiles.tile(level, index, width).subarray(0, width * 32));
      if (level > 0) continue;
      const first = index * TILE_HASHES;
      write(tilePath('entries', index, width), encodeEntryBundle(log.entries.slice(first, first + width)));
    }
  write('checkpoint', log.checkpoint(size));
}
