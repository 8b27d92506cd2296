import { ownVkeys } from '../../src/cli/own-vkeys.ts';
import { identityIn } from '../../src/node/identity.ts';

/** Verifier key of the log of a data folder, as the peer files of its partners name it. */
export function logVkeyIn(dir: string): string {
  const log = ownVkeys(dir, identityIn(dir)).find(({ use }) => use === 'log');
  if (log === undefined) throw new Error(`${dir} has no log key`);
  return log.vkey;
}

/** A log key that a peer file names, of a peer that shows no log: what is given to it is looked at, and not what it gives. */
export const NAMED_KEY = 'x.example/journal/00000000000000aa+00000000+AA==';
