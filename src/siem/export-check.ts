/** Whether lines that a sink was sent are whole: against the signed digests among them. Pure; no node is asked. */
import { hash } from 'node:crypto';
import { canonicalJson, type PlainJson } from '../core/canonical-json.ts';
import { EMPTY_FOLD, type ExportDigest, foldRecord, openExportDigest } from '../wire/export-digest.ts';

export interface LogKey {
  readonly origin: string;
  readonly key: Uint8Array;
}

export interface ExportProblem {
  readonly code:
    | 'line_malformed'
    | 'record_changed'
    | 'record_conflicting'
    | 'chain_broken'
    | 'digest_unsigned'
    | 'digest_missing'
    | 'records_missing'
    | 'records_differ';
  /** Record, or the line for one that cannot be read. */
  readonly at: number;
  readonly detail: string;
}

export interface ExportReport {
  readonly ok: boolean;
  readonly events: number;
  /** Lines that came again, the same. */
  readonly duplicates: number;
  readonly digests: number;
  /** Records that digests vouch for; 0 to 0: none. */
  readonly from: number;
  readonly to: number;
  /** Records behind the newest digest: nothing vouches for them yet. */
  readonly beyond: number;
  /** Lines without the record's own text: digests vouch for the hash beside it, and nothing for what else the line says. */
  readonly unproven: number;
  /** What the node itself said that it did not send. */
  readonly gaps: readonly { readonly first: number; readonly last: number }[];
  readonly problems: readonly ExportProblem[];
}

interface Read {
  readonly seq: number;
  readonly hash: string;
  readonly digest: string | null;
  readonly gap: { readonly sink: string; readonly first: number; readonly last: number } | null;
  /** The record's own text, if the line holds it. */
  readonly body: string | null;
  /** The hash of the record before, as that text has it. */
  readonly previous: string | null;
}

const MAX_PROBLEMS = 100;
/** Sequences that are named one by one. */
const MAX_NAMED = 20;
const HASH = /^sha256:[0-9a-f]{64}$/;

type Json = Readonly<Record<string, unknown>>;

/** Takes the lines of a file in any order, then says what is wrong with them. */
export class ExportCheck {
  readonly #sink: string;
  readonly #keys: readonly LogKey[];
  readonly #hashes = new Map<number, string>();
  readonly #previous = new Map<number, string>();
  readonly #digests: { readonly at: number; readonly digest: ExportDigest }[] = [];
  readonly #gaps: { first: number; last: number }[] = [];
  readonly #problems: ExportProblem[] = [];
  #duplicates = 0;
  #unproven = 0;

  /** @param keys of the node: digests have to be signed by one of them */
  constructor(sink: string, keys: readonly LogKey[]) {
    this.#sink = sink;
    this.#keys = keys;
  }

  line(number: number, text: string): void {
    const read = readLine(text);
    if (read === null) this.#problem(malformed(number));
    else if (read.seq !== 0) this.#weigh(read); // sequence 0 is that of tests
  }

  report(): ExportReport {
    this.#followChain();
    const digests = this.#digests.sort((a, b) => a.digest.last - b.digest.last);
    let to = (digests[0]?.digest.first ?? 1) - 1;
    for (const { at, digest } of digests) {
      if (digest.first !== to + 1) this.#problem(uncovered(at, to + 1, digest.first - 1));
      const fault = this.#judge(digest);
      if (fault !== null) this.#problem(fault);
      to = digest.last;
    }
    const from = digests[0]?.digest.first ?? 0;
    const beyond = [...this.#hashes.keys()].filter((seq) => seq > to).length;
    return {
      ok: this.#problems.length === 0 && digests.length > 0,
      events: this.#hashes.size,
      duplicates: this.#duplicates,
      digests: digests.length,
      from,
      to: digests.length === 0 ? 0 : to,
      beyond,
      unproven: this.#unproven,
      gaps: this.#gaps,
      problems: this.#problems.slice(0, MAX_PROBLEMS),
    };
  }

  #weigh(read: Read): void {
    const { seq, body, hash: recordHash } = read;
    const before = this.#hashes.get(seq);
    if (body !== null && `sha256:${hash('sha256', body, 'hex')}` !== recordHash) this.#problem(changed(seq));
    else if (before === recordHash) this.#duplicates += 1;
    else if (before !== undefined) this.#problem(conflicting(seq));
    else this.#take(read);
  }

  #take({ seq, hash: recordHash, digest, gap, body, previous }: Read): void {
    this.#hashes.set(seq, recordHash);
    if (body === null) this.#unproven += 1;
    if (previous !== null) this.#previous.set(seq, previous);
    if (gap !== null && gap.sink === this.#sink) this.#gaps.push({ first: gap.first, last: gap.last });
    if (digest === null) return;
    const opened = this.#keys.map(({ origin, key }) => openExportDigest(digest, { origin, key })).find(({ ok }) => ok);
    if (opened?.ok === true) this.#digests.push({ at: seq, digest: opened.value });
    else this.#problem(unsigned(seq));
  }

  /** Each record names the one before it: that holds behind the newest digest, too. */
  #followChain(): void {
    for (const [seq, previous] of this.#previous) {
      const before = this.#hashes.get(seq - 1);
      if (before !== undefined && before !== previous) this.#problem(unlinked(seq));
    }
  }

  #judge({ first, last, sinks }: ExportDigest): ExportProblem | null {
    const expected = sinks.find(({ sink }) => sink === this.#sink);
    if (expected === undefined) return unnamed(this.#sink, first, last);
    const held = [...this.#hashes].filter(([seq]) => seq >= first && seq <= last).sort(([a], [b]) => a - b);
    let fold = EMPTY_FOLD;
    for (const [seq, recordHash] of held) fold = foldRecord(fold, seq, recordHash);
    if (fold === expected.digest && held.length === expected.count) return null;
    const what = `of records ${first} to ${last}, ${expected.count} were to be sent and ${held.length} are there`;
    if (held.length >= expected.count)
      return { code: 'records_differ', at: first, detail: `${what}, and they are not the same` };
    const isWhole = expected.count === last - first + 1;
    const named = isWhole ? missingOf(first, last, new Set(held.map(([seq]) => seq))) : '';
    return { code: 'records_missing', at: first, detail: `${what}${named}` };
  }

  #problem(problem: ExportProblem): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
  }
}

/** Which ones, where no filter keeps any back. */
function missingOf(first: number, last: number, held: ReadonlySet<number>): string {
  const gone: number[] = [];
  for (let seq = first; seq <= last && gone.length <= MAX_NAMED; seq++) if (!held.has(seq)) gone.push(seq);
  return `; missing: ${gone.slice(0, MAX_NAMED).join(', ')}${gone.length > MAX_NAMED ? ' and more' : ''}`;
}

function malformed(line: number): ExportProblem {
  return { code: 'line_malformed', at: line, detail: `line ${line} is no event in the form record, ocsf or ecs` };
}

function changed(at: number): ExportProblem {
  return { code: 'record_changed', at, detail: `record ${at} does not have the hash that stands beside it` };
}

function conflicting(at: number): ExportProblem {
  return { code: 'record_conflicting', at, detail: `record ${at} is there twice, and they differ` };
}

function unlinked(at: number): ExportProblem {
  return {
    code: 'chain_broken',
    at,
    detail: `record ${at} names another record before it than ${at - 1} as it is here`,
  };
}

function unsigned(at: number): ExportProblem {
  return { code: 'digest_unsigned', at, detail: `the digest in record ${at} is not signed by a key that was given` };
}

function uncovered(at: number, first: number, last: number): ExportProblem {
  return { code: 'digest_missing', at, detail: `no digest covers records ${first} to ${last}` };
}

function unnamed(sink: string, first: number, last: number): ExportProblem {
  const detail = `the digest over records ${first} to ${last} does not speak of sink ${sink}`;
  return { code: 'digest_missing', at: last, detail };
}

function readLine(text: string): Read | null {
  let line: Json;
  try {
    line = Object(JSON.parse(text)) as Json;
  } catch {
    return null;
  }
  if ('record' in line) return recordLine(line);
  if ('metadata' in line) return ocsfLine(line);
  return 'event' in line ? ecsLine(line) : null;
}

function recordLine({ sequence, hash: recordHash, record }: Json): Read | null {
  const { event, detail } = Object(record) as { event?: unknown; detail?: Json };
  const note = event === 'export_digest' ? detail?.['note'] : null;
  const gap = event === 'export_gap' ? detail : null;
  const body = textOf(record);
  return body === null ? null : read(sequence, recordHash, note, gap, body);
}

function ocsfLine({ metadata, unmapped, raw_data }: Json): Read | null {
  const { sequence } = Object(metadata) as Json;
  const own = Object(Object(unmapped)['stigmem']) as Json;
  return read(sequence, own['hash'], own['digest'], own['gap'], raw_data);
}

function ecsLine({ event, stigmem }: Json): Read | null {
  const { sequence, hash: recordHash, original } = Object(event) as Json;
  const { digest, gap } = Object(stigmem) as Json;
  return read(sequence, recordHash, digest, gap, original);
}

function read(seq: unknown, recordHash: unknown, digest: unknown, gap: unknown, body: unknown): Read | null {
  if (!Number.isSafeInteger(seq) || typeof recordHash !== 'string' || !HASH.test(recordHash)) return null;
  const lines = Array.isArray(digest) ? digest : null;
  const range = Object(gap) as { sink?: unknown; first?: unknown; last?: unknown };
  return {
    seq: Number(seq),
    hash: recordHash,
    digest: lines === null ? null : `${lines.join('\n')}\n`,
    gap:
      range.sink === undefined
        ? null
        : { sink: String(range.sink), first: Number(range.first), last: Number(range.last) },
    body: typeof body === 'string' ? body : null,
    previous: typeof body === 'string' ? previousIn(body) : null,
  };
}

function previousIn(body: string): string | null {
  try {
    const { previous_hash } = Object(JSON.parse(body)) as Json;
    return typeof previous_hash === 'string' ? previous_hash : null;
  } catch {
    return null;
  }
}

/** The canonical text of a record; null: it has none, and is no record. */
function textOf(record: unknown): string | null {
  try {
    return canonicalJson(record as PlainJson);
  } catch {
    return null;
  }
}
