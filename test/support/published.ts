/** Reads a published log as an auditor does: from files alone, with nothing but the paths that C2SP gives them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Checkpoint, parseCheckpoint } from '../../src/merkle/checkpoint.ts';
import { decodeEntryBundle } from '../../src/merkle/entry-bundle.ts';
import { leafHash, packHashes, sameHash } from '../../src/merkle/hash.ts';
import { parseNote } from '../../src/merkle/note.ts';
import { rootAt, TILE_HASHES, type TileSource, tilePath } from '../../src/merkle/tiles.ts';

export type ReadPart = (path: string) => Promise<Uint8Array>;

export interface AuditedLog extends Checkpoint {
  readonly leaves: readonly Uint8Array[];
}

/** Reads everything that the checkpoint covers; throws unless leaf data, tiles and root agree. */
export async function auditPublished(read: ReadPart): Promise<AuditedLog> {
  const note = parseNote(await read('checkpoint'));
  const checkpoint = note.ok ? parseCheckpoint(note.value.text) : note;
  if (!checkpoint.ok) throw new Error(checkpoint.error);
  const { size, root } = checkpoint.value;

  const tiles = new Map<string, Uint8Array>();
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_HASHES)) {
    for (let index = 0; index * TILE_HASHES < count; index++) {
      const width = Math.min(TILE_HASHES, count - index * TILE_HASHES);
      tiles.set(`${level}/${index}`, await read(tilePath(level, index, width)));
    }
  }
  const source: TileSource = {
    tile: (level, index) => tiles.get(`${level}/${index}`) ?? new Uint8Array(),
  };
  if (!sameHash(rootAt(size, source), root)) throw new Error('the tiles do not give the signed root');

  const leaves: Uint8Array[] = [];
  for (let index = 0; index * TILE_HASHES < size; index++) {
    const width = Math.min(TILE_HASHES, size - index * TILE_HASHES);
    const bundle = decodeEntryBundle(await read(tilePath('entries', index, width)));
    if (!bundle.ok || bundle.value.length !== width) throw new Error(`bundle ${index} is none of ${width} leaves`);
    if (Buffer.compare(packHashes(bundle.value.map(leafHash)), tiles.get(`0/${index}`) ?? Buffer.alloc(0)) !== 0) {
      throw new Error(`bundle ${index} is not that of its tile`);
    }
    leaves.push(...bundle.value);
  }
  return { ...checkpoint.value, leaves };
}

export function folderReader(folder: string): ReadPart {
  return async (path) => readFileSync(join(folder, path));
}

/** All files below a folder with their bytes, by path. */
export function filesBelow(folder: string): ReadonlyMap<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    names.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path)];
    }),
  );
}
