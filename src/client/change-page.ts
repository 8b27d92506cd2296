/** A page of changes as the server wrote it: nothing of it is verified. */
import { isJsonNumber, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { malformed } from './facts.ts';
import type { HiddenPlace } from './owed.ts';

/** What stands at a position. */
export type ChangeItem =
  | { readonly kind: 'fact'; readonly seq: number; readonly record: JsonValue }
  | { readonly kind: 'erased'; readonly seq: number; readonly proof: JsonValue }
  | { readonly kind: 'hidden'; readonly seq: number; readonly hidden: HiddenPlace };

export interface ChangePage {
  /** In the order of the journal. */
  readonly items: readonly ChangeItem[];
  readonly position: number;
  readonly more: boolean;
}

/**
 * @param withHoles whether what is said of facts that are left out counts
 * @throws VerificationError `answer_malformed`
 */
export function readChangePage(answer: JsonValue, after: number, withHoles: boolean): ChangePage {
  if (!isJsonObject(answer)) throw malformed('changes');
  const facts = listIn(answer, 'changes', (seq, item) => ({ kind: 'fact', seq, record: item.get('fact') ?? null }));
  const erased = listIn(answer, 'erased', (seq, item) => ({ kind: 'erased', seq, proof: item.get('proof') ?? null }));
  const hidden = listIn(answer, 'hidden', hiddenItem);
  if (facts === null) throw malformed('changes');
  const items = withHoles ? [...facts, ...(erased ?? []), ...(hidden ?? [])].sort((a, b) => a.seq - b.seq) : facts;
  let last = after;
  for (const { seq } of items) {
    if (seq <= last) throw malformed('changes');
    last = seq;
  }
  const position = numberOf(answer.get('position'));
  if (position === undefined || position < last) throw malformed('position');
  return { items, position, more: answer.get('more') === true };
}

/** Null: servers of before do not have it. Each list is in the order of the journal. */
function listIn(
  answer: JsonObject,
  member: string,
  read: (seq: number, item: JsonObject) => ChangeItem,
): readonly ChangeItem[] | null {
  const list = answer.get(member);
  if (list === undefined) return null;
  if (!Array.isArray(list)) throw malformed(member);
  let last = 0;
  return list.map((item) => {
    const seq = isJsonObject(item) ? numberOf(item.get('seq')) : undefined;
    if (!isJsonObject(item) || seq === undefined || seq <= last) throw malformed(member);
    last = seq;
    return read(seq, item);
  });
}

function hiddenItem(seq: number, item: JsonObject): ChangeItem {
  const feed = item.get('feed');
  const feedSeq = numberOf(item.get('feed_seq'));
  const due = item.get('due_s');
  const dueSeconds = due === null ? null : numberOf(due);
  if (typeof feed !== 'string' || feedSeq === undefined || dueSeconds === undefined || (dueSeconds ?? 0) < 0) {
    throw malformed('hidden');
  }
  return { kind: 'hidden', seq, hidden: { position: seq, feed, feedSeq, dueSeconds } };
}

function numberOf(value: JsonValue | undefined): number | undefined {
  const number = isJsonNumber(value) ? Number(value.lexeme) : undefined;
  return Number.isSafeInteger(number) ? number : undefined;
}
