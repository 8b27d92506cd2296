/** Once an hour a signed digest goes through every sink: who keeps what came can show that nothing is missing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { agoMs } from '../core/time.ts';
import type { JournalHead } from '../journal/read-model.ts';
import type { SinkState } from '../journal/sink-records.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { parseNote } from '../merkle/note.ts';
import { EMPTY_FOLD, type ExportDigest, foldRecord, type SinkDigest } from '../wire/export-digest.ts';
import { isWanted, type SinkFilter } from './filter.ts';
import { type AuditLine, type SiemNode, siemEventOf } from './siem-event.ts';

export interface DigestJournal {
  head(): Promise<Pick<JournalHead, 'auditCheckpoint'>>;
  auditLines(after: number, limit: number, maxBytes: number): Promise<readonly AuditLine[]>;
  sinkState(name: string): Promise<SinkState>;
  recordDigest(digest: ExportDigest): Promise<number>;
  /** The newest digest: its last record, and when it was made, Unix ms; null: there is none. */
  newestDigest(): Promise<{ readonly last: number; readonly atMs: number } | null>;
}

export interface DigestsDeps {
  readonly journal: DigestJournal;
  readonly node: SiemNode;
  readonly sinks: readonly (SinkFilter & { readonly name: string })[];
  readonly everyMs: number;
  readonly nowMs: () => number;
  readonly onError: (error: unknown) => void;
}

const LOOK_EVERY_MS = 15_000;
const CHUNK = 500;
const CHUNK_BYTES = 1_048_576;

export class Digests {
  readonly #deps: DigestsDeps;
  readonly #stopping = new AbortController();
  #done: Promise<void> = Promise.resolve();

  constructor(deps: DigestsDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#done = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.makeDue().catch((error: unknown) => {
        if (!signal.aborted) this.#deps.onError(error);
      });
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** @returns the sequence of the new record; null: none is due */
  async makeDue(): Promise<number | null> {
    const { journal, nowMs, everyMs } = this.#deps;
    const newest = await journal.newestDigest();
    return newest !== null && agoMs(newest.atMs, nowMs()) < everyMs ? null : this.make((newest?.last ?? 0) + 1);
  }

  /** Over the records from `first` to the newest one. @returns null if there is none */
  async make(first: number): Promise<number | null> {
    const { journal, node } = this.#deps;
    const { size: last, root } = checkpointOf((await journal.head()).auditCheckpoint);
    if (last < first) return null;
    const { head, sinks } = await this.#fold(first, last);
    return journal.recordDigest({ nodeId: node.nodeId, first, last, head, root, sinks });
  }

  async #fold(first: number, last: number): Promise<{ head: string; sinks: SinkDigest[] }> {
    const { journal, node, sinks } = this.#deps;
    const states = await Promise.all(sinks.map(({ name }) => journal.sinkState(name)));
    const folds = sinks.map((filter, i) => ({ filter, since: states[i]?.since ?? 0, count: 0, digest: EMPTY_FOLD }));
    let head = '';
    for (let after = first - 1; after < last; ) {
      const lines = await journal.auditLines(after, Math.min(CHUNK, last - after), CHUNK_BYTES);
      if (lines.length === 0) throw new Error(`audit record ${after + 1} cannot be read`);
      for (const line of lines) {
        const event = siemEventOf(line, node);
        for (const fold of folds) {
          if (event.seq <= fold.since || !isWanted(event, fold.filter)) continue;
          fold.count += 1;
          fold.digest = foldRecord(fold.digest, event.seq, event.hash);
        }
        head = event.hash;
        after = event.seq;
      }
    }
    return { head, sinks: folds.map(({ filter, count, digest }) => ({ sink: filter.name, count, digest })) };
  }
}

function checkpointOf(note: string): { readonly size: number; readonly root: Uint8Array } {
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  if (!checkpoint.ok) throw new Error(`the checkpoint of the audit log cannot be read: ${checkpoint.error}`);
  return checkpoint.value;
}
