/** What the restore guard says to operators: what is missing, and what to do. */
import { plural, pluralIs } from '../core/plural.ts';
import type { GuardView } from '../journal/guard.ts';
import type { IndexRanges } from '../verify/own-tail.ts';

const RANGES_SHOWN = 20;

/** @param unread peer files that cannot be read: whom they name is not known, and so not asked */
export function notVouchedFor(unread: number): string {
  const unknown =
    unread === 0
      ? ''
      : `. ${plural(unread, 'peer file')} cannot be read, so whoever is named there is not asked: correct or remove ${unread === 1 ? 'it' : 'them'} (\`stigmem-peerd config check\` says what is wrong)`;
  return `the file of signed checkpoints was missing, so only peers and witnesses can tell whether this is the newest history: none that holds a checkpoint of ours has answered yet, and not all have been asked${unknown}`;
}

export function withoutKeys({ size, signedSize }: GuardView, keys: string): string {
  const missing =
    signedSize > size
      ? ` ${pluralIs(signedSize - size, 'entry', 'entries')} missing too (${size.toLocaleString('en')} are here, ${signedSize.toLocaleString('en')} were signed): they are taken from peers after that.`
      : '';
  return `this copy is from before a change of keys: ${keys}. Put it back from the key backup (mode 0600), and the node goes on by itself; until then nothing is signed or written.${missing}`;
}

export function incomplete(view: GuardView, missing: IndexRanges, count: number): string {
  const shown = missing
    .slice(0, RANGES_SHOWN)
    .map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`))
    .join(', ');
  const more = missing.length > RANGES_SHOWN ? ', …' : '';
  return `${count} of the ${view.signedSize - view.size} missing entries are held by no peer that could be asked: leaf indexes ${shown}${more}. Nothing is signed or written. Restore a newer copy of this folder, bring up a peer that holds them, or go on as a new node.`;
}
