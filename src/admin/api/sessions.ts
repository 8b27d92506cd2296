/**
 * Guards against an agent that feeds on its own words: what it writes into a scope it has read from in the same
 * session must say what it was made from. As the Stigmem reference; kept in memory, so a restart forgets sessions.
 */
import { err, ok, type Result } from '../../core/result.ts';
import type { Refusal } from './responses.ts';

const MAX_SESSION_CHARS = 128;
/** Oldest are forgotten first: a session is one task of one agent. */
const MAX_SESSIONS = 10_000;

export interface Sessions {
  /** Records that a key has read facts of these scopes. */
  noteRead(keyId: string, session: string, scopes: Iterable<string>): void;
  hasRead(keyId: string, session: string, scope: string): boolean;
}

/** Creates an empty record of sessions. */
export function createSessions(): Sessions {
  const seen = new Map<string, Set<string>>();
  return {
    noteRead(keyId, session, scopes) {
      const name = `${keyId} ${session}`;
      const known = seen.get(name) ?? new Set();
      for (const scope of scopes) known.add(scope);
      // Put in again at the end: the map's order is the order of use.
      seen.delete(name);
      seen.set(name, known);
      const oldest = seen.size > MAX_SESSIONS ? seen.keys().next().value : undefined;
      if (oldest !== undefined) seen.delete(oldest);
    },
    hasRead: (keyId, session, scope) => seen.get(`${keyId} ${session}`)?.has(scope) ?? false,
  };
}

/** The session a request belongs to, or null. */
export function sessionOf(header: string | undefined): Result<string | null, Refusal> {
  const session = (header ?? '').trim();
  if (session.length > MAX_SESSION_CHARS) return err({ status: 400, detail: 'session_id_too_long' });
  return ok(session === '' ? null : session);
}

/** The answer to a write without provenance into a scope read before. */
export function provenanceRequired(session: string, scope: string): Refusal {
  const message =
    "writes into scopes read earlier in the same session require write_mode='summarize_with_provenance' and source provenance";
  return {
    status: 403,
    detail: { code: 'feedback_loop_provenance_required', message, session_id: session, scope },
  };
}
