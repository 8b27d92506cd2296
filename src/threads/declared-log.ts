/** The log of a peer as the peer has declared it: what its signed words are opened with. */
import type { Journal } from '../journal/journal.ts';
import { logKeysOf, openOwnDeclaration } from '../verify/declared-log-key.ts';

export interface DeclaredLog {
  readonly origin: string;
  /** Raw Ed25519 keys: several while one follows the other. */
  readonly keys: readonly Uint8Array[];
}

/** Null: nothing that the peer has declared is held. */
export function declaredLogOf(journal: Journal, peer: string): DeclaredLog | null {
  const note = journal.peers.declaration(peer);
  const declaration = note === null ? null : openOwnDeclaration(note);
  if (declaration === null) return null;
  const origin = declaration.journal_origin;
  return { origin, keys: logKeysOf(declaration, origin) };
}
