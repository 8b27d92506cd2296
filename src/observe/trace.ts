/**
 * What belongs together: the context of a request or of a pull goes along with everything that is done for it, so that log
 * lines, calls of the journal's threads and audit records carry one id. Spans are only made when somebody takes them.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** W3C trace context: 32 and 16 lower-case hex digits, not all zero. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
}

export type SpanKind = 'internal' | 'server' | 'client';

/** A piece of work with its times, when it has ended. */
export interface Span extends SpanContext {
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: SpanKind;
  /** Unix time. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** Message of the error it ended with; null: it ended well. */
  readonly error: string | null;
}

export type TakeSpan = (span: Span) => void;

interface Active extends SpanContext {
  name: string;
  attributes: Attributes;
  readonly take: TakeSpan | null;
}

const storage = new AsyncLocalStorage<Active>();

/** What is being done now; null outside of a request or a pull. */
export function currentTrace(): SpanContext | null {
  return storage.getStore() ?? null;
}

/** Whether spans of what is being done now are taken. */
export function isTraced(): boolean {
  return typeof storage.getStore()?.take === 'function';
}

/** Names what is being done by what it turned out to be: the route of a request, not its path. */
export function describeSpan(name: string, attributes: Attributes): void {
  const active = storage.getStore();
  if (active === undefined) return;
  active.name = name;
  active.attributes = { ...active.attributes, ...attributes };
}

/** Spans that another thread has made for what is being done now. */
export function takeSpans(spans: readonly Span[]): void {
  const take = storage.getStore()?.take;
  if (take !== null && take !== undefined) spans.forEach(take);
}

export interface Root {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
  /** Where the caller says what it belongs to. */
  readonly parent?: SpanContext | null;
}

/** Where traces begin. */
export interface Traces {
  /** Runs `work` as the beginning of a trace, or as a part of the caller's. */
  begin<T>(root: Root, work: () => T): T;
}

/**
 * @param take takes spans that have ended; null: nobody does, and there are only ids
 * @param isSampled decides by the id of a trace whether its spans are taken
 */
export function createTraces(take: TakeSpan | null, isSampled: (traceId: string) => boolean = () => true): Traces {
  return {
    begin({ name, kind, attributes = {}, parent = null }, work) {
      const traceId = parent?.traceId ?? randomBytes(16).toString('hex');
      const taken = take !== null && isSampled(traceId) ? take : null;
      return inSpan(
        { traceId, spanId: newSpanId(), name, attributes, take: taken },
        parent?.spanId ?? null,
        kind,
        work,
      );
    },
  };
}

/** Runs `work` as a part of what is being done now; it costs nothing where no spans are taken. */
export function span<T>(name: string, attributes: Attributes, work: () => T, kind: SpanKind = 'internal'): T {
  const outer = storage.getStore();
  if (outer === undefined || outer.take === null) return work();
  const { traceId, take } = outer;
  return inSpan({ traceId, spanId: newSpanId(), name, attributes, take }, outer.spanId, kind, work);
}

/** Runs `work` with the context of another thread. @param spans is filled with what was done; null: nobody wants it */
export function inContext<T>({ traceId, spanId }: SpanContext, spans: Span[] | null, work: () => T): T {
  const take = spans === null ? null : (ended: Span): void => void spans.push(ended);
  return storage.run({ traceId, spanId, name: '', attributes: {}, take }, work);
}

/** Runs `work` outside of what is being done now: what it starts lives longer. */
export function untraced<T>(work: () => T): T {
  return storage.exit(work);
}

function inSpan<T>(active: Active, parentId: string | null, kind: SpanKind, work: () => T): T {
  const { take, traceId, spanId } = active;
  if (take === null) return storage.run(active, work);
  const startMs = performance.timeOrigin + performance.now();
  const end = (error: unknown): void => {
    const { name, attributes } = active;
    const endMs = performance.timeOrigin + performance.now();
    take({ traceId, spanId, parentId, name, kind, startMs, endMs, attributes, error: messageOf(error) });
  };
  return ending(() => storage.run(active, work), end);
}

/** Calls `end` when the work, or what it promised, is done. */
function ending<T>(work: () => T, end: (error: unknown) => void): T {
  let result: T;
  try {
    result = work();
  } catch (thrown) {
    end(thrown);
    throw thrown;
  }
  if (!(result instanceof Promise)) {
    end(null);
    return result;
  }
  result.then(() => end(null), end);
  return result;
}

function messageOf(error: unknown): string | null {
  if (error === null) return null;
  return error instanceof Error ? error.message : String(error);
}

function newSpanId(): string {
  return randomBytes(8).toString('hex');
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-|$)/;

/** Reads a `traceparent` header (W3C Trace Context); null: there is none that can be used. */
export function readTraceparent(header: string | null | undefined): SpanContext | null {
  const [, traceId, spanId] = TRACEPARENT.exec(header ?? '') ?? [];
  return traceId === undefined || spanId === undefined ? null : { traceId, spanId };
}
