/**
 * Writes one log to a target: bundles and tiles first, the checkpoint last, so that a reader of the checkpoint finds all
 * that it covers. What an earlier export wrote is left alone; memory does not grow with the log.
 */

import { availableWidth, type PublishedHead, type PublishedLog } from '../journal/published-log.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { sameHash } from '../merkle/hash.ts';
import { parseNote } from '../merkle/note.ts';
import { TILE_HASHES, type TileName, tilePath, tileWidth } from '../merkle/tiles.ts';
import { PublishError, type PublishTarget, type Versioned } from './target.ts';

export interface ExportOptions {
  readonly onProgress?: (done: number, total: number) => void;
  /** Looked at between files; an aborted export throws the signal's reason and leaves the old checkpoint. */
  readonly signal?: AbortSignal;
  /** Files under way at once: 1 for a folder, more where each takes a round trip. */
  readonly parallel?: number;
}

export interface ExportReport {
  readonly origin: string;
  /** Leaves that the target's checkpoint covered before; 0 for a new target. */
  readonly from: number;
  readonly size: number;
  readonly written: number;
  /** Full tiles and bundles that were there already. */
  readonly kept: number;
}

interface Known {
  readonly size: number;
  readonly file: Versioned | undefined;
}

const CHECKPOINT = 'checkpoint';

/**
 * Brings a target up to the newest signed checkpoint.
 *
 * @throws PublishError; LeafMismatchError and JournalError `broken` when the journal is damaged
 */
export async function exportLog(
  log: PublishedLog,
  target: PublishTarget,
  options: ExportOptions = {},
): Promise<ExportReport> {
  const head = log.head();
  if (head === undefined) {
    throw new PublishError(
      'nothing_signed',
      'no checkpoint has been signed yet: run `stigmem-peerd journal head` first',
    );
  }
  if (!sameHash(log.rootAt(head.size), head.root)) {
    throw new PublishError('root_mismatch', 'the stored tree does not have the signed root: run `stigmem-peerd fsck`');
  }
  const known = await readKnown(log, head, target);
  const counts = await writeTiles(log, target, { from: known.size, size: head.size }, options);
  if (isNews(known, head)) await target.replace(CHECKPOINT, Buffer.from(head.note), known.file);
  for (const name of filledTiles(known.size, head.size)) {
    await target.removeGrowing(tilePath(name.level, name.index));
  }
  return { origin: originOf(head.note), from: known.size, size: head.size, ...counts };
}

/** What the target has; it must be a prefix of this log. */
async function readKnown(log: PublishedLog, head: PublishedHead, target: PublishTarget): Promise<Known> {
  const file = await target.read(CHECKPOINT);
  if (file === undefined) return { size: 0, file };
  const note = parseNote(file.bytes);
  const there = note.ok ? parseCheckpoint(note.value.text) : note;
  if (!there.ok) {
    throw new PublishError('target_other_log', `the checkpoint in ${target.name} is none: name an empty target`);
  }
  const { origin, size, root } = there.value;
  if (origin !== originOf(head.note)) {
    const message = `${target.name} holds the log ${origin}, this is ${originOf(head.note)}: give each log a target of its own`;
    throw new PublishError('target_other_log', message);
  }
  if (size > head.size) {
    const message = `${target.name} has a checkpoint over ${size} entries, this journal signed ${head.size}: it is an old copy. Nothing was written; restore the newest copy first`;
    throw new PublishError('target_ahead', message);
  }
  if (!sameHash(log.rootAt(size), root)) {
    const message = `${target.name} has another root over ${size} entries than this journal: one of the two histories is false. Nothing was written; keep both, they are evidence`;
    throw new PublishError('target_contradicts', message);
  }
  return { size, file };
}

/** The checkpoint is written for a larger tree, or for more signatures on the same one; never for fewer. */
function isNews({ size, file }: Known, head: PublishedHead): boolean {
  return file === undefined || head.size > size || lineCount(head.note) > lineCount(Buffer.from(file.bytes).toString());
}

function lineCount(note: string): number {
  const parsed = parseNote(note);
  return parsed.ok ? parsed.value.signatures.length : 0;
}

function originOf(note: string): string {
  return note.slice(0, note.indexOf('\n'));
}

async function writeTiles(
  log: PublishedLog,
  target: PublishTarget,
  range: { readonly from: number; readonly size: number },
  { onProgress, signal, parallel = 1 }: ExportOptions,
): Promise<{ readonly written: number; readonly kept: number }> {
  const counts = { written: 0, kept: 0 };
  const total = countOf(newTiles(range.from, range.size));
  const names = newTiles(range.from, range.size);
  const work = async (): Promise<void> => {
    for (const name of names) {
      signal?.throwIfAborted();
      const isNew = await target.writeOnce(tilePath(name.level, name.index, name.width), log.bytes(name));
      counts[isNew ? 'written' : 'kept']++;
      onProgress?.(counts.written + counts.kept, total);
    }
  };
  // The workers share one iterator: each takes the next name, and no more bundles are in memory than workers.
  const results = await Promise.allSettled(Array.from({ length: parallel }, work));
  const failed = results.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return counts;
}

function countOf(names: Iterable<TileName>): number {
  let count = 0;
  for (const _ of names) count++;
  return count;
}

/** Every tile and bundle of the tree of `size` leaves that the tree of `from` leaves did not have in full. */
function* newTiles(from: number, size: number): Generator<TileName> {
  for (const level of levelsOf(size)) {
    const leaves = level === 'entries' ? 1 : TILE_HASHES ** level;
    for (let index = Math.floor(from / leaves / TILE_HASHES); ; index++) {
      const width = availableWidth({ level, index }, size);
      if (width === 0) break;
      yield { level, index, width };
    }
  }
}

/** Tiles that were growing in the tree of `from` leaves and are full in that of `size`. */
function* filledTiles(from: number, size: number): Generator<TileName> {
  for (const level of levelsOf(size)) {
    const counted = level === 'entries' ? 0 : level;
    const index = Math.floor(from / TILE_HASHES ** (counted + 1));
    const isGrowing = tileWidth(counted, index, from) % TILE_HASHES !== 0;
    if (isGrowing && tileWidth(counted, index, size) === TILE_HASHES) yield { level, index, width: TILE_HASHES };
  }
}

function levelsOf(size: number): readonly ('entries' | number)[] {
  const levels: ('entries' | number)[] = ['entries'];
  for (let level = 0; Math.floor(size / TILE_HASHES ** level) > 0; level++) levels.push(level);
  return levels;
}
