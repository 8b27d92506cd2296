/** Missing entries that were received from peers: written again from what those peers send, and the notes that they kept. */
import type { Journal } from '../journal/journal.ts';
import type { KeptNote } from '../journal/kept-notes.ts';
import { sameHash } from '../merkle/hash.ts';
import type { ProvedEntry } from '../verify/own-tail.ts';
import { rebuildEntries, type SentEntry } from '../verify/rebuild.ts';
import { decodePage, type PageFrames } from '../wire/page.ts';
import { openRestoreNote, type RestoreNote, restoreNoteKey } from '../wire/restore-note.ts';

/** `foreign`: it was not sealed by us for this page; `needless`: nothing that is missing follows from it. */
export type OfferedNote = 'wanted' | 'needless' | 'foreign';

export interface OfferedPage {
  /** Entry of the feed that the page ends with. */
  readonly to: number;
  /** Missing entries that are here now. */
  readonly held: number;
}

/** Leaf indexes that are missing: `from` inclusive, `to` exclusive. */
interface Missing {
  readonly from: number;
  readonly to: number;
}

/** A note that was opened, and what has come for it so far. */
interface Recipe {
  readonly peer: string;
  readonly feed: string;
  readonly after: number;
  readonly note: RestoreNote;
  readonly sent: Map<number, SentEntry>;
}

interface Rebuilt {
  readonly entry: ProvedEntry;
  readonly note: RestoreNote;
}

export class RegainedEntries {
  readonly #journal: Journal;
  readonly #key: Uint8Array;
  readonly #recipes = new Map<string, Recipe>();
  /** By leaf index. */
  readonly #rebuilt = new Map<number, Rebuilt>();
  /**
   * Where two notes speak of one place: after an earlier restore, a peer may hold one of what was taken, lost and taken
   * again elsewhere. The later one is right, unless a clock was wrong.
   */
  #isLaterRight = true;

  /** @param seed of the restore key file */
  constructor(journal: Journal, seed: Uint8Array) {
    this.#journal = journal;
    this.#key = restoreNoteKey(seed);
  }

  get size(): number {
    return this.#rebuilt.size;
  }

  /** Those that nobody else has proved. */
  entries(): readonly ProvedEntry[] {
    return [...this.#rebuilt.values()].map(({ entry }) => entry);
  }

  clear(): void {
    this.#recipes.clear();
    this.#rebuilt.clear();
  }

  /** What is here contradicts what was signed: it has to come again, and where notes differ the others are believed. */
  reject(): void {
    this.clear();
    this.#isLaterRight = !this.#isLaterRight;
  }

  /** What is proved by a signed checkpoint goes before what a note says. */
  give(way: readonly ProvedEntry[]): void {
    for (const { index } of way) this.#rebuilt.delete(index);
  }

  /** @param held what is proved already, by leaf index */
  offerNote(peer: string, kept: KeptNote, missing: Missing, held: ReadonlyMap<number, unknown>): OfferedNote {
    const { feed, after, to, sealed } = kept;
    const range = { receiver: this.#journal.identity.nodeId, sender: peer, feed, after, to };
    const note = openRestoreNote(sealed, range, this.#key);
    if (note === null) return 'foreign';
    const indexes = note.entries.map((_, i) => note.firstSeq - 1 + i).filter((index) => isIn(missing, index));
    if (indexes.every((index) => held.has(index) || !this.#givesWay(index, note))) return 'needless';
    this.#recipes.set([peer, feed, to].join('\n'), { peer, feed, after, note, sent: new Map() });
    return 'wanted';
  }

  /** Null when the page cannot be read, or has no entry. */
  offerPage(peer: string, frames: PageFrames, missing: Missing, held: ReadonlyMap<number, unknown>): number | null {
    const page = decodePage(frames);
    if (!page.ok || page.value.entries.length === 0) return null;
    const { header, salts, entries } = page.value;
    for (const [key, recipe] of this.#recipes) {
      if (recipe.peer !== peer || recipe.feed !== header.feed) continue;
      for (const { place } of recipe.note.entries) {
        const at = recipe.after + place - header.after;
        const [bytes, salt] = [entries[at], salts[at]];
        if (bytes !== undefined && salt !== undefined) recipe.sent.set(place, { bytes, salt });
      }
      if (recipe.sent.size === recipe.note.entries.length) this.#rebuild(key, recipe, missing, held);
    }
    return header.after + entries.length;
  }

  #rebuild(key: string, { note, sent, peer }: Recipe, missing: Missing, held: ReadonlyMap<number, unknown>): void {
    this.#recipes.delete(key);
    const inOrder = note.entries.flatMap(({ place }) => sent.get(place) ?? []);
    for (const entry of rebuildEntries(note, inOrder, peer) ?? []) {
      if (!isIn(missing, entry.index) || held.has(entry.index) || !this.#givesWay(entry.index, note)) continue;
      this.#rebuilt.set(entry.index, { entry, note });
    }
  }

  /** Whether what is here at a place, if anything, has to give way to what a note says. */
  #givesWay(index: number, { createdUs, digest }: RestoreNote): boolean {
    const known = this.#rebuilt.get(index)?.note;
    if (known === undefined) return true;
    if (sameHash(known.digest, digest)) return false;
    return this.#isLaterRight ? createdUs >= known.createdUs : createdUs < known.createdUs;
  }
}

function isIn({ from, to }: Missing, index: number): boolean {
  return index >= from && index < to;
}
