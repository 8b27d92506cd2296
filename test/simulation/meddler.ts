/** What a node with honest keys and a dishonest, or broken, program makes of its own answers on their way out. */
import { PULL_PROTOCOL } from '../../src/wire/protocols.ts';
import type { Chance } from './chance.ts';
import type { Meddle } from './network.ts';

export const TRICKS = ['flip', 'drop', 'repeat', 'swap', 'cut', 'replay', 'empty', 'others'] as const;
export type Trick = (typeof TRICKS)[number];

/** @param trick what is done to each answer of a pull; other protocols are left alone */
export function meddler(trick: Trick, chance: Chance): Meddle {
  /** The first answer given to each, and the last given to anybody. */
  const first = new Map<string, readonly Uint8Array[]>();
  let last: readonly Uint8Array[] = [];
  return async function* meddle(protocol, frames, asker) {
    if (protocol !== PULL_PROTOCOL) {
      yield* frames;
      return;
    }
    const honest: Uint8Array[] = [];
    for await (const frame of frames) honest.push(frame);
    const others = last;
    last = honest;
    const replayed = first.get(asker) ?? honest;
    first.set(asker, replayed);
    yield* trick === 'replay' ? replayed : trick === 'others' ? others : changed(trick, honest, chance);
  };
}

function changed(trick: Trick, frames: readonly Uint8Array[], chance: Chance): readonly Uint8Array[] {
  const at = chance.below(frames.length);
  const frame = frames[at] ?? new Uint8Array(0);
  switch (trick) {
    case 'flip': {
      const flipped = Uint8Array.from(frame);
      const bit = chance.below(flipped.length * 8);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return frames.with(at, flipped);
    }
    case 'drop':
      return frames.toSpliced(at, 1);
    case 'repeat':
      return frames.toSpliced(at, 0, frame);
    case 'swap': {
      const other = chance.below(frames.length);
      return frames.with(at, frames[other] ?? frame).with(other, frame);
    }
    case 'cut':
      return frames.slice(0, at);
    case 'empty':
      return [];
    default:
      return frames;
  }
}
