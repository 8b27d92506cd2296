/**
 * Changes of keys, in the store beside what the keys have signed. A copy from before a change can open nothing that came after it;
 * under the key that it has it finds the statement of what took its place, signed by both.
 */
import { decodeUtf8 } from '../merkle/note.ts';
import { MAX_SUCCESSION_CHARS, openSuccession } from '../wire/succession.ts';
import { digestOf } from '../wire/worm-manifest.ts';
import { WormError, type WormStore } from './store.ts';

export interface KeyStatement {
  /** C2SP verifier key. */
  readonly old: string;
  /** The signed statement. */
  readonly note: string;
}

/** Statements of one key that are kept; there is one, but for a change that was announced anew. */
const MAX_OF_KEY = 8;
/** Statements that are followed from the keys of a copy. */
const MAX_FOLLOWED = 64;
/** Notes are ASCII but for the dash of a signature line. */
const MAX_STATEMENT_BYTES: number = 2 * MAX_SUCCESSION_CHARS;

/**
 * Puts those that are not there, and has the store keep the others for as long.
 *
 * @returns what operators should know; null: nothing
 * @throws WormError
 */
export async function shipStatements(
  store: WormStore,
  statements: readonly KeyStatement[],
  retainUntilMs: number,
): Promise<string | null> {
  let weakness: string | null = null;
  for (const { old, note } of statements) {
    const kept = await statementsOf(store, old);
    const at = kept.indexOf(note);
    const place = at < 0 ? kept.length : at;
    if (place < MAX_OF_KEY) await store.put(statementPath(old, place), Buffer.from(note), retainUntilMs);
    else weakness = crowded(store, old);
  }
  return weakness;
}

function crowded(store: WormStore, old: string): string {
  return `${store.name}: a change of keys has no place there, since somebody else has put ${MAX_OF_KEY} objects in its places (${statementPath(old, 0)} and those behind it). A copy from before that change will not learn of it from this store. Look at who may write there, and name a new, empty place`;
}

/**
 * Statements of a node that lead on from its keys, as far as the store has them. What they are worth is the caller's to judge.
 *
 * @param keys C2SP verifier keys
 * @throws WormError if the store cannot be asked; the signal's reason
 */
export async function statementsFrom(
  store: WormStore,
  keys: readonly string[],
  nodeId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const [notes, ahead, seen] = [new Set<string>(), [...keys], new Set(keys)];
  for (let key = ahead.shift(); key !== undefined; key = ahead.shift()) {
    signal.throwIfAborted();
    for (const note of await statementsOf(store, key)) {
      const opened = openSuccession(note, nodeId);
      if (!opened.ok || notes.size >= MAX_FOLLOWED) continue;
      notes.add(note);
      if (!seen.has(opened.value.new)) ahead.push(opened.value.new);
      seen.add(opened.value.new);
    }
  }
  return [...notes];
}

/** What stands there, whatever it is. */
async function statementsOf(store: WormStore, old: string): Promise<readonly string[]> {
  const notes: string[] = [];
  for (let place = 0; place < MAX_OF_KEY; place++) {
    const stored = await store.read(statementPath(old, place), null, MAX_STATEMENT_BYTES).catch((error: unknown) => {
      if (error instanceof WormError && error.code === 'store_other_log') return null;
      throw error;
    });
    if (stored === undefined) break;
    notes.push((stored === null ? undefined : decodeUtf8(stored.bytes)) ?? '');
  }
  return notes;
}

function statementPath(old: string, place: number): string {
  return `keys/${digestOf(Buffer.from(old)).slice('sha256:'.length)}-${place + 1}.note`;
}
