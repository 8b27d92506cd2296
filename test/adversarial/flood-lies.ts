/** Peers whose whole log is lies: how many, `FLOOD_FACTS` says. */

import type { Behaviour } from '../../src/drill/hostile-peer.ts';
import { FLOOD_KINDS, type FloodKind, FloodLog } from '../support/flood-log.ts';

/** A million, by hand, takes some minutes. */
export const FLOOD_FACTS: number = Number(process.env['FLOOD_FACTS'] ?? 20_000);
/** Stands once in the flood, near its end; the flood is of all others. */
export const NEEDLE: FloodKind = 'cid_missing';
export const NEEDLE_AT: number = FLOOD_FACTS - 1_500;

const others = FLOOD_KINDS.filter((kind) => kind !== NEEDLE);
const kindAt = (index: number): FloodKind => (index === NEEDLE_AT ? NEEDLE : (others[index % others.length] ?? NEEDLE));

export const behaviours: Readonly<Record<string, () => Behaviour>> = {
  flood: () => ({ log: new FloodLog('flood.example', FLOOD_FACTS, kindAt) }),
};
