/**
 * Reads a store back with public keys alone: each manifest with its signature and the one before it, each segment with its
 * hash and place, and both trees made again from what was shipped, against every checkpoint and anchor in the chain. A manifest
 * that goes on from an earlier one, since the node was put back from a copy, is told for what it is.
 */
import { statedSize } from '../merkle/checkpoint.ts';
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
  type WormRestore,
  type WormSegment,
} from '../wire/worm-manifest.ts';
import type { ManifestTrust } from './manifests.ts';
import { NOWHERE } from './place.ts';
import { RestoreCheck, restoredBases } from './restore-check.ts';
import { readSegment, type SegmentRecord } from './segment.ts';
import type { WormStore } from './store.ts';
import { TreeCheck } from './tree-check.ts';

export type WormProblemCode =
  | 'manifest_missing'
  | 'manifest_signature_invalid'
  | 'manifest_chain'
  | 'segment_missing'
  | 'segment_changed'
  | 'segment_order'
  | 'segment_malformed'
  | 'checkpoint_invalid'
  | 'root_mismatch'
  /** It goes on from what is not there, or from something else than it says. */
  | 'restore_invalid'
  /** It goes on from the end of a history that was left: two copies of the node were running. */
  | 'restore_forked'
  /** The journal behind a restore is shorter than what was signed before it. */
  | 'restore_rewound'
  /** More restores than the reader knows of. */
  | 'restore_unknown';

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
  /** What the chain goes on from in place of the manifest before, in order. No problem by itself: a node may be put back from a copy. */
  readonly restores: readonly WormRestore[];
  readonly problems: readonly WormProblem[];
  /** Objects that the store does not, or no longer, keep from being removed; null: it says nothing of that. */
  readonly unlocked: number | null;
  /** What the store did not let the reader look at; null: nothing. */
  readonly weakness: string | null;
}

export type WormTrust = ManifestTrust;

export interface WormVerifyOptions {
  /** Manifests that have to be there at least. */
  readonly atLeast: number;
  /** How many restores the reader knows of; null: any number. */
  readonly restores: number | null;
  readonly nowMs: number;
  readonly onProgress?: (manifests: number, records: number) => void;
  readonly signal?: AbortSignal;
}

const MAX_PROBLEMS = 100;
const NEVER: AbortSignal = new AbortController().signal;

export async function verifyWorm(store: WormStore, trust: WormTrust, options: WormVerifyOptions): Promise<WormReport> {
  const bases = await restoredBases(store, trust, options.signal ?? NEVER);
  const check = new ChainCheck(store, trust, options, bases);
  return check.run();
}

class ChainCheck {
  readonly #store: WormStore;
  readonly #trust: WormTrust;
  readonly #options: WormVerifyOptions;
  readonly #problems: WormProblem[] = [];
  readonly #trees: TreeCheck;
  readonly #restores: RestoreCheck;
  #ends: WormEnds = NOWHERE.ends;
  /** What the newest manifest so far says that was signed of the journal. */
  #signedSize = 0;
  #unlocked = 0;
  #records = 0;

  constructor(store: WormStore, trust: WormTrust, options: WormVerifyOptions, bases: ReadonlySet<number>) {
    this.#store = store;
    this.#trust = trust;
    this.#options = options;
    const problem = this.#problem.bind(this);
    this.#trees = new TreeCheck(trust, problem);
    this.#restores = new RestoreCheck(this.#trees, bases, problem);
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
      const digest = digestOf(stored.bytes);
      const manifest = this.#open(path, stored.bytes);
      if (manifest !== null) {
        this.#checkLink(path, manifest, number + 1, previous);
        this.#ends = this.#restores.enter(path, manifest, number + 1, this.#ends);
        await this.#manifest(path, manifest);
        this.#restores.keep(number + 1, digest, this.#ends);
        madeAt = manifest.made_at;
        this.#options.onProgress?.(number + 1, this.#records);
      }
      previous = digest;
    }
    await this.#end(number);
    await this.#findShadowed();
    const unlocked = this.#store.hasRetention ? this.#unlocked : null;
    const problems = this.#problems;
    return {
      ok: problems.length === 0,
      manifests: number,
      ends: this.#ends,
      madeAt,
      origin: this.#trust.origin,
      restores: this.#restores.found,
      problems,
      unlocked,
      weakness: this.#store.weakness,
    };
  }

  #open(path: string, bytes: Uint8Array): WormManifest | null {
    const opened = openDocument(WORM_MANIFEST, bytes, this.#trust.keys, this.#trust.origin);
    if (opened.ok) return opened.value.value;
    const detail = `${opened.error}: it was changed, or another key has signed it`;
    this.#problem(path, 'manifest_signature_invalid', detail);
    return null;
  }

  /** A hole is not the end: what is behind it says so. */
  async #end(number: number): Promise<void> {
    if (number < this.#options.atLeast) {
      const detail = `the chain ends with manifest ${number}, and ${this.#options.atLeast} have to be there`;
      this.#problem(manifestPath(number + 1), 'manifest_missing', detail);
    } else if (this.#problems.length < MAX_PROBLEMS && (await this.#store.exists(manifestPath(number + 2)))) {
      this.#problem(manifestPath(number + 1), 'manifest_missing', 'the one behind it is there');
    } else if (await this.#isHidden(manifestPath(number + 1))) {
      this.#problem(manifestPath(number + 1), 'manifest_missing', 'it was deleted: look at its versions');
    }
    this.#restores.end(number, this.#options.restores);
  }

  /** In a store with versions the first that stood in a place stays there, below what was put above it. */
  async #findShadowed(): Promise<void> {
    const { versions, isWhole } = await this.#store.shadowed('manifest/', manifestPath(0));
    const told = new Set(this.#problems.map(({ path }) => path));
    for (const { path, version } of versions)
      if (!told.has(path) && this.#problems.length < MAX_PROBLEMS)
        this.#problem(path, 'manifest_chain', `another object was put above it: version ${version} is the older one`);
    if (!isWhole) this.#problem('manifest/', 'manifest_chain', 'more objects were put above others than are looked at');
  }

  /** In a store with versions. One that was shipped meanwhile is there, and can be read. */
  async #isHidden(path: string): Promise<boolean> {
    return (await this.#store.exists(path)) && (await this.#store.read(path, null, MAX_MANIFEST_BYTES)) === undefined;
  }

  #checkLink(path: string, manifest: WormManifest, number: number, previous: string | null): void {
    if (manifest.number !== number) {
      this.#problem(path, 'manifest_chain', `expected manifest ${number}, got ${manifest.number}: they were moved`);
    } else if (manifest.previous !== previous) {
      this.#problem(path, 'manifest_chain', 'it names another manifest before it than the one that is there');
    }
  }

  async #manifest(path: string, manifest: WormManifest): Promise<void> {
    this.#grows(path, manifest);
    this.#trees.expect(path, 'journal', manifest.journal);
    this.#trees.expect(path, 'audit', manifest.audit);
    const ends = { ...this.#ends };
    for (const segment of manifest.segments) {
      this.#options.signal?.throwIfAborted();
      const { first, last, stream } = segment;
      if (first !== ends[stream] + 1 || last < first) {
        const detail = `expected ${stream} to go on at ${ends[stream] + 1}, got ${first} to ${last}`;
        this.#problem(segment.path, 'segment_order', detail);
        this.#trees.giveUp(stream);
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

  /** One that names less than the one before it hides that from whoever asks the newest alone. Of restores it is told elsewhere. */
  #grows(path: string, { journal, number, restored }: WormManifest): void {
    const [had, size] = [this.#signedSize, statedSize(journal)];
    this.#signedSize = size;
    if (size >= had || restored?.number === number) return;
    const detail = `its checkpoint of the journal has ${size} entries, and the manifest before it has one over ${had}: this node makes none such, somebody else has its log key`;
    this.#problem(path, 'checkpoint_invalid', detail);
  }

  async #segment(segment: WormSegment): Promise<void> {
    const { path, sha256, stream, version } = segment;
    const stored = await this.#store.read(path, version, MAX_SEGMENT_BYTES);
    if (stored === undefined) {
      this.#problem(path, 'segment_missing', `records ${segment.first} to ${segment.last} of ${stream} are not there`);
      this.#trees.giveUp(stream);
      return;
    }
    this.#lock(stored.lockedUntilMs);
    if (digestOf(stored.bytes) !== sha256) {
      this.#problem(path, 'segment_changed', `its bytes are not those that manifest and name give the hash of`);
      this.#trees.giveUp(stream);
      return;
    }
    const records = readSegment(segment, stored.bytes);
    if (!records.ok) {
      this.#problem(path, 'segment_malformed', records.error);
      this.#trees.giveUp(stream);
      return;
    }
    for (const record of records.value) this.#record(path, record);
    this.#records += records.value.length;
  }

  #record(path: string, record: SegmentRecord): void {
    if (record.kind === 'anchor') this.#trees.expect(path, record.log, record.note);
    if (record.kind === 'leaf') this.#trees.append(record.log, record.leaf);
  }

  #lock(untilMs: number | null): void {
    if (untilMs === null || untilMs < this.#options.nowMs) this.#unlocked++;
  }

  #problem(path: string, code: WormProblemCode, detail: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ path, code, detail });
  }
}
