/** How long a pull may keep its place while others wait for one. */
import type PQueue from 'p-queue';
import { PullError } from './errors.ts';

/** A pull that is over its time is looked at this often: it may go on as long as nobody waits. */
const LOOK_AGAIN_MS = 250;

/**
 * Runs `work` in a place of the lane. Once it has had `sliceMs` and others wait, its signal aborts: places are few, and a
 * peer that sends little but never nothing would keep one for ever.
 *
 * @throws what `work` throws; it sees PullError `gave_way` as the signal's reason
 */
export async function takeTurn<T>(
  lane: PQueue,
  sliceMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return lane.add(async () => {
    const turn = new AbortController();
    const look = (): void => {
      if (lane.size > 0) turn.abort(new PullError('gave_way', `nothing came within ${sliceMs} ms, and others wait`));
      else timer = setTimeout(look, LOOK_AGAIN_MS);
    };
    let timer = setTimeout(look, sliceMs);
    try {
      return await work(AbortSignal.any([signal, turn.signal]));
    } finally {
      clearTimeout(timer);
    }
  });
}
