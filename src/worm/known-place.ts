/** What this node has shipped, kept beside its journal: a store that loses its end, or puts another in its place, is found out. */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomically } from '../config/atomic-file.ts';
import type { WormEnds, WormRestore } from '../wire/worm-manifest.ts';
import type { KnownPlace, Place } from './place.ts';
import { WormError } from './store.ts';

export const WORM_STATE_FILE = 'worm-state.json';
const MODE = 0o600;

export interface KnownState extends KnownPlace {
  readonly ends: WormEnds;
  /** The newest restore that the chain names; null: none. */
  readonly restored: WormRestore | null;
}

const COUNT = z.number().int().nonnegative();
const ENDS = z.strictObject({ anchors: COUNT, audit: COUNT, journal: COUNT, receipts: COUNT });
const RESTORED: z.ZodType<WormRestore> = z.strictObject({
  at: z.string(),
  base: COUNT,
  base_digest: z.string().nullable(),
  count: COUNT,
  from: ENDS,
  left: ENDS,
  number: COUNT,
});
const STATE = z.strictObject({
  v: z.literal(1),
  target: z.string(),
  number: COUNT,
  digest: z.string(),
  ends: ENDS,
  restored: RESTORED.optional(),
});

/** Null: nothing was shipped to that target yet. @throws WormError for a file that is damaged */
export function readKnown(file: string, target: string): KnownState | null {
  if (!existsSync(file)) return null;
  const parsed = STATE.safeParse(parseOrNull(readFileSync(file, 'utf8')));
  if (!parsed.success) {
    const message = `${file} is damaged: it cannot be told any more whether the store lost anything. Run \`stigmem-peerd export worm verify\`, then remove the file`;
    throw new WormError('store_unusable', message);
  }
  const { digest, ends, number, restored = null, target: of } = parsed.data;
  return of === target ? { number, digest, ends, restored } : null;
}

/** A crash before this leaves the place before; what was shipped behind it is found in the store. */
export function writeKnown(file: string, target: string, { number, digest, ends, restored }: Place): void {
  if (digest === null) return;
  const state = { v: 1, target, number, digest, ends, ...(restored === null ? {} : { restored }) };
  writeFileAtomically(file, `${JSON.stringify(state)}\n`, MODE);
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
