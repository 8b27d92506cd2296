/** The records of a segment as whoever reads it back takes them. Pure and total. */
import { z } from 'zod';
import { isCanonicalJson } from '../core/canonical-json.ts';
import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import { entryLeafHash, SALT_BYTES } from '../merkle/commitment.ts';
import { leafHash } from '../merkle/hash.ts';
import { decodeUtf8 } from '../merkle/note.ts';
import type { WormSegment, WormStream } from '../wire/worm-manifest.ts';

export type SegmentRecord =
  | { readonly kind: 'leaf'; readonly log: 'journal' | 'audit'; readonly leaf: Uint8Array }
  | { readonly kind: 'anchor'; readonly log: 'journal' | 'audit'; readonly note: string }
  | { readonly kind: 'receipt' };

const LEAF_DATA_BYTES = 33;
const SEQ = z.number().int().positive();
const JOURNAL = z.looseObject({ seq: SEQ, commitment: z.string(), feed: z.string(), feed_seq: SEQ });
const AUDIT = z.strictObject({ seq: SEQ, body: z.string(), salt: z.string() });
const ANCHOR = z.strictObject({ seq: SEQ, at: z.string(), log: z.enum(['journal', 'audit']), note: z.string() });
const RECEIPT = z.looseObject({ seq: SEQ, anchor: SEQ, backend: z.string(), entry: z.string() });

const READERS: Readonly<Record<WormStream, (value: unknown) => (SegmentRecord & { readonly seq: number }) | null>> = {
  journal: (value) => {
    const parsed = JOURNAL.safeParse(value);
    const data = parsed.success ? decodeBase64(parsed.data.commitment) : undefined;
    if (!parsed.success || data?.length !== LEAF_DATA_BYTES) return null;
    return { kind: 'leaf', log: 'journal', seq: parsed.data.seq, leaf: leafHash(data) };
  },
  audit: (value) => {
    const parsed = AUDIT.safeParse(value);
    const salt = parsed.success ? decodeBase64(parsed.data.salt) : undefined;
    if (!parsed.success || salt?.length !== SALT_BYTES || !parsed.data.body.isWellFormed()) return null;
    return { kind: 'leaf', log: 'audit', seq: parsed.data.seq, leaf: entryLeafHash(salt, parsed.data.body) };
  },
  anchors: (value) => {
    const parsed = ANCHOR.safeParse(value);
    return parsed.success
      ? { kind: 'anchor', seq: parsed.data.seq, log: parsed.data.log, note: parsed.data.note }
      : null;
  },
  receipts: (value) => {
    const parsed = RECEIPT.safeParse(value);
    return parsed.success ? { kind: 'receipt', seq: parsed.data.seq } : null;
  },
};

/** @returns the records in order; an error names the first line that is none */
export function readSegment(
  { first, last, stream }: Pick<WormSegment, 'first' | 'last' | 'stream'>,
  bytes: Uint8Array,
): Result<readonly SegmentRecord[], string> {
  const text = decodeUtf8(bytes);
  if (text === undefined) return err('expected UTF-8');
  const lines = text.split('\n');
  if (lines.pop() !== '') return err('expected a line feed at the end');
  if (lines.length !== last - first + 1) return err(`expected ${last - first + 1} records, got ${lines.length}`);
  const records: SegmentRecord[] = [];
  for (const [i, line] of lines.entries()) {
    const value = parseOrNull(line);
    const record = isCanonicalJson(value, line) ? READERS[stream](value) : null;
    if (record === null || record.seq !== first + i)
      return err(`line ${i + 1} is not record ${first + i} of ${stream}`);
    records.push(record);
  }
  return ok(records);
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
