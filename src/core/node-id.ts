import { err, ok, type Result } from './result.ts';

/** A node is named by an authority: `stigmem://acme.example`. */
export type NodeId = `stigmem://${string}`;

const SCHEME = 'stigmem://';
/** A DNS name is at most 253 characters; a port adds six. */
const MAX_AUTHORITY_CHARS = 259;
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const AUTHORITY = new RegExp(`^${LABEL}(?:\\.${LABEL})*(?::[1-9][0-9]{0,4})?$`);

/** Tells whether a text is an authority: lower-case host name, optional port. One node has one spelling. */
export function isAuthority(text: string): boolean {
  return text.length <= MAX_AUTHORITY_CHARS && AUTHORITY.test(text);
}

/** Tells whether a text is a node id, `stigmem://<authority>` with nothing behind it. */
export function isNodeId(text: string): text is NodeId {
  return text.startsWith(SCHEME) && isAuthority(text.slice(SCHEME.length));
}

/** Reads a node id into its authority. */
export function parseNodeId(
  text: string,
): Result<{ readonly nodeId: NodeId; readonly authority: string }, 'node_id_malformed'> {
  return isNodeId(text) ? ok({ nodeId: text, authority: text.slice(SCHEME.length) }) : err('node_id_malformed');
}

/** The node id of an authority. */
export function nodeIdOf(authority: string): Result<NodeId, 'node_id_malformed'> {
  return isAuthority(authority) ? ok<NodeId>(`${SCHEME}${authority}`) : err('node_id_malformed');
}

/** The authority that a `stigmem://authority[/…]` URI belongs to; null for every other text. */
export function authorityOf(uri: string): string | null {
  if (!uri.startsWith(SCHEME)) return null;
  const slash = uri.indexOf('/', SCHEME.length);
  const authority = uri.slice(SCHEME.length, slash === -1 ? undefined : slash);
  return isAuthority(authority) ? authority : null;
}

/** The name under which a node cosigns the checkpoints of others. */
export function witnessName(nodeId: string): string {
  return `${nodeId.slice(SCHEME.length)}/witness`;
}
