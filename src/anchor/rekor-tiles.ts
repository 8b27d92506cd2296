/** An entry that Rekor v2 has already, put together from its published tiles: a duplicate is answered without a proof. */
import { encodeBase64 } from '../merkle/base64.ts';
import { decodeDecimal } from '../merkle/decimal.ts';
import { parseNote } from '../merkle/note.ts';
import { rekorBody, type SignedDigest } from '../merkle/rekor-entry.ts';
import { proveInclusion, tilePath, tileWidth } from '../merkle/tiles.ts';
import type { TrustedLog } from '../merkle/trusted-root.ts';
import { AnchorError } from './errors.ts';

/** Gets the bytes of a path below the log's read URL. */
type Read = (path: string) => Promise<Uint8Array>;

class MissingTile extends Error {
  readonly level: number;
  readonly index: number;

  constructor(level: number, index: number) {
    super(`tile ${level}/${index}`);
    this.level = level;
    this.index = index;
  }
}

/** @returns a TransparencyLogEntry in JSON, unverified: whoever takes it verifies it like an answer of the log */
export async function entryFromTiles(
  index: number,
  sent: SignedDigest,
  logs: readonly TrustedLog[],
  read: Read,
): Promise<unknown> {
  const envelope = Buffer.from(await read('checkpoint')).toString('utf8');
  const { size, root, logId } = headOf(envelope, logs);
  if (index >= size) throw new AnchorError('unreachable', 'the log has not published the entry yet');
  const hashes = await inclusionFrom(index, size, read);
  return {
    logIndex: String(index),
    logId: { keyId: encodeBase64(logId) },
    kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
    inclusionProof: {
      logIndex: String(index),
      rootHash: root,
      treeSize: String(size),
      hashes: hashes.map((hash) => encodeBase64(hash)),
      checkpoint: { envelope },
    },
    canonicalizedBody: encodeBase64(Buffer.from(rekorBody(2, sent))),
  };
}

/** The log is named by the line that one of the trusted keys has written: witnesses may have added theirs before it. */
function headOf(
  envelope: string,
  logs: readonly TrustedLog[],
): { readonly size: number; readonly root: string; readonly logId: Uint8Array } {
  const note = parseNote(envelope);
  const [, sizeText = '', root = ''] = note.ok ? note.value.text.split('\n') : [];
  const size = decodeDecimal(sizeText);
  const hints = note.ok ? note.value.signatures.map(({ keyId }) => keyId) : [];
  const log = logs.find((one) => hints.includes(Buffer.from(one.keyId).readUInt32BE()));
  if (size === undefined) throw new AnchorError('unverified', 'the log’s checkpoint is no note');
  if (log === undefined)
    throw new AnchorError('unverified', 'no key of the trust root has signed the log’s checkpoint');
  return { size, root, logId: log.keyId };
}

/** Proofs are made from tiles at hand: what is missing is fetched, until nothing is. */
async function inclusionFrom(index: number, size: number, read: Read): Promise<readonly Uint8Array[]> {
  const tiles = new Map<string, Uint8Array>();
  const tile = (level: number, at: number): Uint8Array => {
    const found = tiles.get(`${level}/${at}`);
    if (found === undefined) throw new MissingTile(level, at);
    return found;
  };
  for (;;) {
    try {
      return proveInclusion(index, size, { tile });
    } catch (missing) {
      if (!(missing instanceof MissingTile)) throw missing;
      const { level, index: at } = missing;
      tiles.set(`${level}/${at}`, await read(tilePath(level, at, tileWidth(level, at, size))));
    }
  }
}
