import { pythonLower, pythonStrip, replaceWhitespaceRuns } from './python-case.ts';
import { err, ok, type Result } from './result.ts';

export type EntityError = 'entity_empty' | 'entity_component_empty';

const FORMAL = /^stigmem:\/\/([^/]+)\/([^/]+)\/([^\n]+)$/;

/**
 * The canonical spelling of an entity or source URI, as the Stigmem reference normalizes at assertion: lower case,
 * white space trimmed and its runs turned into `-`. In `stigmem://authority/type/id` the first two parts keep inner
 * white space. Only facts asserted here are normalized; what peers send is hashed and stored as it came.
 */
export function normalizeEntity(raw: string): Result<string, EntityError> {
  const stripped = pythonStrip(raw);
  if (stripped === '') return err('entity_empty');
  const formal = FORMAL.exec(stripped);
  if (formal === null) return ok(replaceWhitespaceRuns(pythonLower(stripped), '-'));

  const authority = pythonLower(pythonStrip(formal[1] ?? ''));
  const type = pythonLower(pythonStrip(formal[2] ?? ''));
  const id = replaceWhitespaceRuns(pythonLower(pythonStrip(formal[3] ?? '')), '-');
  if (authority === '' || type === '' || id === '') return err('entity_component_empty');
  return ok(`stigmem://${authority}/${type}/${id}`);
}

/** Tells whether a URI lacks the formal scheme. Case-sensitive and untrimmed, as in the reference. */
export function isInformal(uri: string): boolean {
  return !uri.startsWith('stigmem://');
}
