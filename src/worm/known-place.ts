/** What this node has shipped, kept beside its journal: a store that loses its end, or puts another in its place, is found out. */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomically } from '../config/atomic-file.ts';
import type { WormEnds } from '../wire/worm-manifest.ts';
import type { KnownPlace, Place } from './place.ts';
import { WormError } from './store.ts';

export const WORM_STATE_FILE = 'worm-state.json';
const MODE = 0o600;

export interface KnownState extends KnownPlace {
  readonly ends: WormEnds;
}

const COUNT = z.number().int().nonnegative();
const STATE = z.strictObject({
  v: z.literal(1),
  target: z.string(),
  number: COUNT,
  digest: z.string(),
  ends: z.strictObject({ anchors: COUNT, audit: COUNT, journal: COUNT, receipts: COUNT }),
});

/** Null: nothing was shipped to that target yet. @throws WormError for a file that is damaged */
export function readKnown(file: string, target: string): KnownState | null {
  if (!existsSync(file)) return null;
  const parsed = STATE.safeParse(parseOrNull(readFileSync(file, 'utf8')));
  if (!parsed.success) {
    const message = `${file} is damaged: it cannot be told any more whether the store lost anything. Run \`stigmem-peerd export worm verify\`, then remove the file`;
    throw new WormError('store_unusable', message);
  }
  const state = parsed.data;
  return state.target === target ? { number: state.number, digest: state.digest, ends: state.ends } : null;
}

/** A crash before this leaves the place before; what was shipped behind it is found in the store. */
export function writeKnown(file: string, target: string, { number, digest, ends }: Place): void {
  if (digest === null) return;
  writeFileAtomically(file, `${JSON.stringify({ v: 1, target, number, digest, ends })}\n`, MODE);
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
