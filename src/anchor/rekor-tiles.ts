/** An entry that Rekor v2 has already, put together from its published tiles: a duplicate is answered without a proof. */
import { encodeBase64 } from '../merkle/base64.ts';
import { decodeDecimal } from '../merkle/decimal.ts';
import { parseNote } from '../merkle/note.ts';
import { rekorBody, type SignedDigest } from '../merkle/rekor-entry.ts';
import { proveInclusion, tilePath, tileWidth } from '../merkle/tiles.ts';
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
export async function entryFromTiles(index: number, sent: SignedDigest, read: Read): Promise<unknown> {
  const envelope = Buffer.from(await read('checkpoint')).toString('utf8');
  const { size, root, keyId } = headOf(envelope);
  if (index >= size) throw new AnchorError('unreachable', 'the log has not published the entry yet');
  const hashes = await inclusionFrom(index, size, read);
  return {
    logIndex: String(index),
    logId: { keyId },
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

function headOf(envelope: string): { readonly size: number; readonly root: string; readonly keyId: string } {
  const note = parseNote(envelope);
  const [, sizeText = '', root = ''] = note.ok ? note.value.text.split('\n') : [];
  const size = decodeDecimal(sizeText);
  const line = note.ok ? note.value.signatures[0] : undefined;
  if (size === undefined || line === undefined) throw new AnchorError('unverified', 'the log’s checkpoint is no note');
  const keyId = Buffer.alloc(4);
  keyId.writeUInt32BE(line.keyId);
  return { size, root, keyId: encodeBase64(keyId) };
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
