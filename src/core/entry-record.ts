import { isStrictHlc } from './hlc.ts';
import { pythonFloatText } from './python-text.ts';

/** An agent's own signature over what it asserted. */
export interface Attestation {
  readonly key_id: string;
  readonly signature: string;
}

/** Where a received fact stands in the journal of the node that first accepted it. */
export interface Origin {
  readonly chain_seq: number;
  /** Leaf hash there, base64 of 32 bytes. */
  readonly leaf_hash: string;
  readonly node_id: string;
}

/** The canonical record of one appended fact; its keys in the order in which they are written. */
export interface Entry {
  readonly attestation: Attestation | null;
  readonly chain_hash: string;
  /** Place in this node's chain, from 1. The leaf index is one less. */
  readonly chain_seq: number;
  readonly cid: string;
  /** Text of a double from 0 to 1 as Python prints it (`1.0`, `1e-05`), so that nobody has to print a float. */
  readonly confidence: string;
  /** Hashed as text; our own entries use six digits and `+00:00`. */
  readonly created_at: string;
  /** Fact ids or CIDs. */
  readonly derived_from: readonly string[];
  readonly entity: string;
  readonly event_hash: string;
  readonly fact_id: string;
  /** Place in its feed, from 1 without holes. */
  readonly feed_seq: number;
  readonly garden_id: string | null;
  /** 13 digits of milliseconds, a dot, 3 digits of counter. */
  readonly hlc: string;
  /** `content` or `instruction`; verification judges other values. */
  readonly interpret_as: string;
  /** Null: asserted here. */
  readonly origin: Origin | null;
  /** Null for the first entry of a chain. */
  readonly previous_hash: string | null;
  /** Node id of the peer it was pulled from. */
  readonly received_from: string | null;
  readonly relation: string;
  readonly scope: string;
  readonly source: string;
  readonly tenant_id: 'default';
  readonly timestamp: string;
  readonly v: 1;
  readonly valid_until: string | null;
  readonly value_type: string;
  readonly value_v: string;
}

/** Every key of an entry, in the order in which they are written. */
export const ENTRY_KEYS: readonly (keyof Entry)[] = [
  'attestation',
  'chain_hash',
  'chain_seq',
  'cid',
  'confidence',
  'created_at',
  'derived_from',
  'entity',
  'event_hash',
  'fact_id',
  'feed_seq',
  'garden_id',
  'hlc',
  'interpret_as',
  'origin',
  'previous_hash',
  'received_from',
  'relation',
  'scope',
  'source',
  'tenant_id',
  'timestamp',
  'v',
  'valid_until',
  'value_type',
  'value_v',
];

const HASH_TEXT = /^sha256:[0-9a-f]{64}$/;
// 32 bytes leave four bits in the last of 43 characters, of which base64 must have the lower two clear.
const BASE64_OF_32 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/** Tells whether a text is `sha256:` and 64 lower-case hex digits. */
export function isHashText(text: string): boolean {
  return HASH_TEXT.test(text);
}

/** Tells whether a text is the one base64 spelling of 32 bytes. */
export function isBase64Hash(text: string): boolean {
  return BASE64_OF_32.test(text);
}

/** Tells whether a text is what Python prints for a double from 0 to 1; `-0.0` is not. */
export function isConfidenceText(text: string): boolean {
  if (text === '1.0') return true;
  const x = Number(text);
  return x >= 0 && x <= 1 && pythonFloatText(x) === text && text !== '-0.0';
}

/** Tells whether a text is a clock value in the entry's fixed width. */
export function isEntryHlc(text: string): boolean {
  return isStrictHlc(text);
}
