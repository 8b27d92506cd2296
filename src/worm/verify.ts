/**
 * Reads a store back with public keys alone: each manifest with its signature and the one before it, each segment with its
 * hash and place, and both trees made again from what was shipped, against every checkpoint and anchor in the chain.
 */
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { CompactRange } from '../merkle/compact-range.ts';
import { sameHash } from '../merkle/hash.ts';
import { ed25519Verifier, parseNote, verifyNote } from '../merkle/note.ts';
import { openDocument } from '../wire/signed-document.ts';
import {
  digestOf,
  MAX_MANIFEST_BYTES,
  MAX_SEGMENT_BYTES,
  manifestPath,
  WORM_MANIFEST,
  WORM_STREAMS,
  type WormEnds,
  type WormManifest,
  type WormSegment,
} from '../wire/worm-manifest.ts';
import { NOWHERE } from './place.ts';
import { readSegment, type SegmentRecord } from './segment.ts';
import type { WormStore } from './store.ts';

export type WormProblemCode =
  | 'manifest_missing'
  | 'manifest_signature_invalid'
  | 'manifest_chain'
  | 'segment_missing'
  | 'segment_changed'
  | 'segment_order'
  | 'segment_malformed'
  | 'checkpoint_invalid'
  | 'root_mismatch';

export interface WormProblem {
  readonly path: string;
  readonly code: WormProblemCode;
  readonly detail: string;
}

export interface WormReport {
  readonly ok: boolean;
  readonly manifests: number;
  readonly ends: WormEnds;
  /** When the newest manifest was made. */
  readonly madeAt: string | null;
  readonly origin: string | null;
  readonly problems: readonly WormProblem[];
  /** Objects that the store does not, or no longer, keep from being removed; null: it says nothing of that. */
  readonly unlocked: number | null;
}

export interface WormTrust {
  /** Raw Ed25519 keys of the log. */
  readonly keys: readonly Uint8Array[];
  readonly origin: string;
}

export interface WormVerifyOptions {
  /** Manifests that have to be there at least. */
  readonly atLeast: number;
  readonly nowMs: number;
  readonly onProgress?: (manifests: number, records: number) => void;
  readonly signal?: AbortSignal;
}

/** A checkpoint that is compared when as many leaves are there. */
interface Waiting {
  readonly path: string;
  readonly size: number;
  readonly root: Uint8Array;
}

const MAX_PROBLEMS = 100;

export async function verifyWorm(store: WormStore, trust: WormTrust, options: WormVerifyOptions): Promise<WormReport> {
  const check = new ChainCheck(store, trust, options);
  return check.run();
}

class ChainCheck {
  readonly #store: WormStore;
  readonly #trust: WormTrust;
  readonly #options: WormVerifyOptions;
  readonly #problems: WormProblem[] = [];
  readonly #trees = { journal: new CompactRange(), audit: new CompactRange() };
  readonly #waiting: { journal: Waiting[]; audit: Waiting[] } = { journal: [], audit: [] };
  readonly #broken = new Set<'journal' | 'audit'>();
  #ends: WormEnds = NOWHERE.ends;
  #auditOrigin: string | null = null;
  #unlocked = 0;
  #records = 0;

  constructor(store: WormStore, trust: WormTrust, options: WormVerifyOptions) {
    this.#store = store;
    this.#trust = trust;
    this.#options = options;
  }

  async run(): Promise<WormReport> {
    let previous: string | null = null;
    let madeAt: string | null = null;
    let number = 0;
    for (; this.#problems.length < MAX_PROBLEMS; number++) {
      this.#options.signal?.throwIfAborted();
      const path = manifestPath(number + 1);
      const stored = await this.#store.read(path, null, MAX_MANIFEST_BYTES);
      if (stored === undefined) break;
      this.#lock(stored.lockedUntilMs);
      const opened = openDocument(WORM_MANIFEST, stored.bytes, this.#trust.keys, this.#trust.origin);
      if (!opened.ok) {
        this.#problem(
          path,
          'manifest_signature_invalid',
          `${opened.error}: it was changed, or another key has signed it`,
        );
        previous = digestOf(stored.bytes);
        continue;
      }
      const manifest = opened.value.value;
      this.#checkLink(path, manifest, number + 1, previous);
      await this.#manifest(path, manifest);
      previous = digestOf(stored.bytes);
      madeAt = manifest.made_at;
      this.#options.onProgress?.(number + 1, this.#records);
    }
    await this.#end(number);
    const unlocked = this.#store.hasRetention ? this.#unlocked : null;
    const problems = this.#problems;
    return {
      ok: problems.length === 0,
      manifests: number,
      ends: this.#ends,
      madeAt,
      origin: this.#trust.origin,
      problems,
      unlocked,
    };
  }

  /** A hole is not the end: what is behind it says so. */
  async #end(number: number): Promise<void> {
    if (number < this.#options.atLeast) {
      const detail = `the chain ends with manifest ${number}, and ${this.#options.atLeast} have to be there`;
      this.#problem(manifestPath(number + 1), 'manifest_missing', detail);
    } else if (this.#problems.length < MAX_PROBLEMS && (await this.#store.exists(manifestPath(number + 2)))) {
      this.#problem(manifestPath(number + 1), 'manifest_missing', 'the one behind it is there');
    }
  }

  #checkLink(path: string, manifest: WormManifest, number: number, previous: string | null): void {
    if (manifest.number !== number) {
      this.#problem(path, 'manifest_chain', `expected manifest ${number}, got ${manifest.number}: they were moved`);
    } else if (manifest.previous !== previous) {
      this.#problem(path, 'manifest_chain', 'it names another manifest before it than the one that is there');
    }
  }

  async #manifest(path: string, manifest: WormManifest): Promise<void> {
    this.#expect(path, 'journal', manifest.journal);
    this.#expect(path, 'audit', manifest.audit);
    const ends = { ...this.#ends };
    for (const segment of manifest.segments) {
      this.#options.signal?.throwIfAborted();
      const { first, last, stream } = segment;
      if (first !== ends[stream] + 1 || last < first) {
        const detail = `expected ${stream} to go on at ${ends[stream] + 1}, got ${first} to ${last}`;
        this.#problem(segment.path, 'segment_order', detail);
        this.#giveUp(stream);
      }
      ends[stream] = last;
      await this.#segment(segment);
    }
    for (const stream of WORM_STREAMS)
      if (ends[stream] !== manifest.ends[stream])
        this.#problem(
          path,
          'segment_order',
          `expected ${stream} to end at ${manifest.ends[stream]}, got ${ends[stream]}`,
        );
    this.#ends = manifest.ends;
  }

  async #segment(segment: WormSegment): Promise<void> {
    const { path, sha256, stream, version } = segment;
    const stored = await this.#store.read(path, version, MAX_SEGMENT_BYTES);
    if (stored === undefined) {
      this.#problem(path, 'segment_missing', `records ${segment.first} to ${segment.last} of ${stream} are not there`);
      this.#giveUp(stream);
      return;
    }
    this.#lock(stored.lockedUntilMs);
    if (digestOf(stored.bytes) !== sha256) {
      this.#problem(path, 'segment_changed', `its bytes are not those that manifest and name give the hash of`);
      this.#giveUp(stream);
      return;
    }
    const records = readSegment(segment, stored.bytes);
    if (!records.ok) {
      this.#problem(path, 'segment_malformed', records.error);
      this.#giveUp(stream);
      return;
    }
    for (const record of records.value) this.#record(path, record);
    this.#records += records.value.length;
  }

  #record(path: string, record: SegmentRecord): void {
    if (record.kind === 'anchor') this.#expect(path, record.log, record.note);
    if (record.kind !== 'leaf') return;
    this.#trees[record.log].append(record.leaf);
    // Paths of leaves are kept as the tree grows; nobody asks for them here.
    this.#trees[record.log].forget(this.#trees[record.log].size - 1);
    this.#compareDue(record.log);
  }

  /** The checkpoint is compared when its leaves are there. */
  #expect(path: string, log: 'journal' | 'audit', note: string): void {
    const parsed = parseNote(note);
    const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
    if (!parsed.ok || !checkpoint.ok) {
      this.#problem(path, 'checkpoint_invalid', `the checkpoint of the ${log} is none`);
      return;
    }
    const { origin, size, root } = checkpoint.value;
    if (log === 'audit') this.#auditOrigin ??= origin;
    const wanted = log === 'journal' ? this.#trust.origin : (this.#auditOrigin ?? origin);
    const isSigned = this.#trust.keys.some((key) => verifyNote(parsed.value, [ed25519Verifier(wanted, key)]).ok);
    if (origin !== wanted || !isSigned) {
      this.#problem(path, 'checkpoint_invalid', `the checkpoint of the ${log} is not signed by the keys given`);
      return;
    }
    this.#waiting[log].push({ path, size, root });
    this.#compareDue(log);
  }

  #compareDue(log: 'journal' | 'audit'): void {
    const tree = this.#trees[log];
    const waiting = this.#waiting[log];
    const due = waiting.filter(({ size }) => size <= tree.size);
    if (due.length === 0) return;
    this.#waiting[log] = waiting.filter(({ size }) => size > tree.size);
    if (this.#broken.has(log)) return;
    for (const { path, size, root } of due) {
      // Smaller than what is there: it was compared at its own manifest, or nothing can be said of it any more.
      if (size < tree.size || sameHash(tree.root(), root)) continue;
      this.#problem(
        path,
        'root_mismatch',
        `the ${log} as shipped has another root over ${size} records than was signed`,
      );
    }
  }

  /** What stands behind a hole gives no tree: one problem is told, not one for each checkpoint. */
  #giveUp(stream: WormSegment['stream']): void {
    if (stream === 'journal' || stream === 'audit') this.#broken.add(stream);
  }

  #lock(untilMs: number | null): void {
    if (untilMs === null || untilMs < this.#options.nowMs) this.#unlocked++;
  }

  #problem(path: string, code: WormProblemCode, detail: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ path, code, detail });
  }
}
