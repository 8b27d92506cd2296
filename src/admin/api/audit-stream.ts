/** The audit log as a stream: JSON lines of what there is, or server-sent events of what comes. */
import type { AuditFilter } from '../../journal/read-model.ts';
import type { ApiDeps } from '../deps.ts';
import { auditEntry } from './audit-entry.ts';

export type StreamFilter = Omit<AuditFilter, 'cursor' | 'order' | 'limit'>;

/** Records fetched at a time: what a stream holds in memory. */
const CHUNK = 500;
/** Records that one call of the reader looks at, about 20 ms: others are answered between two of them. */
export const LOOKS_AT = 20_000;

const encoder = new TextEncoder();

/**
 * All matching records in sequence order, one JSON object per line, then the end. Fetches as fast as the client
 * reads. Ends where the log ended when its last chunk was read.
 */
export function jsonLines(
  deps: ApiDeps,
  filter: StreamFilter,
  after: number,
  holds: StreamLife['holds'],
): ReadableStream<Uint8Array> {
  let cursor = after;
  return new ReadableStream(
    {
      async pull(controller) {
        for (;;) {
          // Who reads slowly would follow the log for as long as he likes. Cut off, so that it is not taken for the end.
          if (!holds()) return controller.error(new Error('the key is not in force any more'));
          const page = await deps.reader.auditPage({
            ...filter,
            order: 'asc',
            cursor,
            limit: CHUNK,
            looksAt: LOOKS_AT,
          });
          const text = page.records.map((record) => `${JSON.stringify(auditEntry(record))}\n`).join('');
          if (text !== '') controller.enqueue(encoder.encode(text));
          cursor = page.cursor ?? cursor;
          if (!page.hasMore) return controller.close();
          if (text !== '') return;
        }
      },
    },
    { highWaterMark: 0 },
  );
}

/** What comes behind a place of the audit log, as events of a stream. */
export type StreamSource = (
  after: number,
  limit: number,
) => Promise<{
  readonly events: readonly StreamEvent[];
  /** What was looked at. */
  readonly upTo: number;
  readonly hasMore: boolean;
}>;

export interface StreamEvent {
  /** Sequence of its audit record. */
  readonly seq: number;
  readonly data: object;
}

/** Matching records. */
export function auditSource({ reader }: ApiDeps, filter: StreamFilter): StreamSource {
  return async (after, limit) => {
    const asked = { ...filter, order: 'asc', cursor: after, limit, looksAt: LOOKS_AT } as const;
    const { records, cursor, hasMore } = await reader.auditPage(asked);
    const events = records.map((record) => ({ seq: record.seq, data: auditEntry(record) }));
    return { events, upTo: cursor ?? records.at(-1)?.seq ?? after, hasMore };
  };
}

export interface StreamLife {
  readonly stopping: AbortSignal | undefined;
  /** Whether who asked still may. */
  readonly holds: () => boolean;
  /** Called once when the stream is over, whoever ended it. */
  readonly onEnd: () => void;
}

/**
 * What a source has after a sequence as server-sent events, `id` the sequence, for as long as the client stays and may, and
 * the server runs. Nothing is subscribed before the first read, so an answer that nobody reads costs nothing.
 */
export function eventStream(
  deps: ApiDeps,
  source: StreamSource,
  after: number,
  { stopping, holds, onEnd }: StreamLife,
): ReadableStream<Uint8Array> {
  const tail = new Tail(deps, source, after, stopping);
  const end = (): void => {
    if (tail.close()) onEnd();
  };
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const text = await tail.next();
          // Records or a heartbeat: it is looked at whenever something is about to leave.
          if (text !== null && holds()) return controller.enqueue(encoder.encode(text));
          end();
          controller.close();
        } catch (error) {
          // The client comes back with Last-Event-ID and loses nothing.
          deps.logger.error({ err: error }, 'audit stream broken off');
          end();
          controller.close();
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}

/** Follows the log from one place. */
class Tail {
  readonly #deps: ApiDeps;
  readonly #source: StreamSource;
  readonly #stopping: AbortSignal | undefined;
  #after: number;
  #newest = 0;
  #greeted = false;
  #closed = false;
  #unsubscribe: (() => void) | null = null;
  #wake: () => void = () => undefined;

  constructor(deps: ApiDeps, source: StreamSource, after: number, stopping: AbortSignal | undefined) {
    this.#deps = deps;
    this.#source = source;
    this.#after = after;
    this.#stopping = stopping;
  }

  /** The next piece of the stream: records, or a heartbeat when there were none for a while; null at the end. */
  async next(): Promise<string | null> {
    if (!this.#greeted) return this.#greet();
    for (;;) {
      const heard = this.#newest;
      const { events, upTo, hasMore } = await this.#source(this.#after, CHUNK);
      this.#after = upTo;
      // Nothing up to what was announced before the query is missing from it: later queries may start there.
      if (!hasMore) this.#after = Math.max(this.#after, heard);
      if (events.length > 0) return events.map(eventText).join('');
      // Nothing is awaited between this look and the rest below: no wake-up can fall between them.
      if (this.#closed || this.#stopping?.aborted === true) return null;
      if (!hasMore && this.#newest === heard && (await this.#rest()) === 'idle') return this.#heartbeat();
    }
  }

  /** @returns whether it was open */
  close(): boolean {
    const wasOpen = !this.#closed;
    this.#closed = true;
    this.#unsubscribe?.();
    this.#stopping?.removeEventListener('abort', this.#onStop);
    this.#wake();
    return wasOpen;
  }

  readonly #onStop = (): void => this.#wake();

  /** Sent at once, so that a client knows that the stream stands before anything has happened. */
  #greet(): string {
    this.#greeted = true;
    this.#unsubscribe = this.#deps.audits.onAudit((seq) => {
      this.#newest = Math.max(this.#newest, seq);
      this.#wake();
    });
    this.#stopping?.addEventListener('abort', this.#onStop);
    return `retry: 2000\n: records after ${this.#after}\n\n`;
  }

  /** An `id` without data moves the client's place in the log and is no event to it (WHATWG HTML §9.2.6). */
  #heartbeat(): string {
    return `: heartbeat\nid: ${this.#after}\n\n`;
  }

  #rest(): Promise<'woken' | 'idle'> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#deps.limits.streamHeartbeatMs, 'idle');
      this.#wake = () => {
        clearTimeout(timer);
        resolve('woken');
      };
    });
  }
}

/** JSON text has no raw line breaks, so one `data` line holds it. */
function eventText({ seq, data }: StreamEvent): string {
  return `id: ${seq}\ndata: ${JSON.stringify(data)}\n\n`;
}
