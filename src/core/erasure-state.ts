/** How the erasure of a fact stands, in words. */

const SENTENCES: Readonly<Record<string, string>> = {
  requested: 'hidden; its tombstone is written when the undo window is over',
  undone: 'shown again',
  issued: 'its tombstone is written; its body is erased next',
  received: 'hidden; its body is erased when the window is over',
  stopped: 'hidden; too many tombstones of this partner came at once: release it, or hold it',
  held: 'hidden; its body is kept',
  released: 'hidden; its body is erased next',
  erased: 'its body is out of the tables; the file is cleaned next',
  scrubbed: 'erased',
  told: 'erased, and its author knows',
  absent: 'its body never was here',
  kept: 'it was refused when it came, and is kept as evidence',
};

/** Total: a state that is not known has no sentence. */
export function erasureSentence(state: string): string {
  return Object.hasOwn(SENTENCES, state) ? (SENTENCES[state] ?? '') : '';
}

/** What an operator can still decide. The API says so in the end. */
export function erasureChoices(state: string): readonly ('undo' | 'hold' | 'release')[] {
  if (state === 'requested') return ['undo'];
  if (state === 'received' || state === 'released') return ['hold'];
  if (state === 'stopped') return ['release', 'hold'];
  return state === 'held' ? ['release'] : [];
}
