/** What others can tell a node about its own keys: a copy from before a key change does not know of it. */
import type { KeyUse, OpenedSuccession } from '../wire/succession.ts';
import { openStatements, successorsOf } from './key-chain.ts';

/** The verifier keys that a node signs with now. */
export type KeysInUse = Readonly<Record<KeyUse, string>>;

const USES: readonly KeyUse[] = ['node', 'log', 'witness', 'anchor'];

/**
 * Those among the shown statements that are news and that the keys in use have signed, each by itself or through the one
 * before it. Nobody else can have made them. Pure and total.
 *
 * @param shown signed notes, as somebody gave them
 */
export function learnedSuccessions(
  shown: readonly string[],
  nodeId: string,
  known: readonly OpenedSuccession[],
  keys: KeysInUse,
): readonly OpenedSuccession[] {
  const notes = new Set(known.map(({ note }) => note));
  const opened = openStatements(
    [...new Set(shown)].filter((note) => !notes.has(note)),
    nodeId,
  );
  const joined = USES.flatMap((use) => successorsOf([...known, ...opened], use, keys[use], Number.MAX_SAFE_INTEGER));
  return joined.filter(({ note }) => !notes.has(note));
}

/**
 * The statements whose new key a folder should hold instead of the one that it holds: the ends of the chains that begin there.
 *
 * @param untilMs Unix time in milliseconds; a statement that takes effect later asks for nothing yet
 */
export function newestKeys(
  statements: readonly OpenedSuccession[],
  use: KeyUse,
  vkey: string,
  untilMs: number,
): readonly OpenedSuccession[] {
  const links = successorsOf(statements, use, vkey, untilMs);
  return links.filter(({ new: key }) => !links.some(({ old }) => old === key));
}
