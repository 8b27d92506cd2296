import { isWellFormed, pythonJsonFloatText, pythonJsonString, sha256OfText } from './python-text.ts';
import { err, ok, type Result } from './result.ts';

/** The seven members that a CID covers. It does not cover time, HLC, validity, `interpret_as`, garden or id. */
export interface FactBody {
  readonly confidence: number;
  readonly entity: string;
  readonly relation: string;
  readonly scope: string;
  readonly source: string;
  readonly value_type: string;
  readonly value_v: string;
}

export type CidText = `sha256:${string}`;

const PREFIX = 'sha256:';
const CID = /^sha256:[0-9a-f]{64}$/;

/**
 * The text that a CID is the hash of: compact JSON, keys sorted, as Python's `json.dumps` prints it. Not RFC 8785:
 * confidence 1 is `1.0`. Lone surrogates stay raw; {@link computeCid} refuses them.
 */
export function cidBody(body: FactBody): string {
  return cidBodyText(pythonJsonFloatText(body.confidence), body);
}

/** As {@link cidBody}, for a confidence that is already in text form, e.g. an entry's. */
export function cidBodyText(confidence: string, body: Omit<FactBody, 'confidence'>): string {
  return `{"confidence":${confidence},"entity":${pythonJsonString(body.entity)},"relation":${pythonJsonString(body.relation)},"scope":${pythonJsonString(body.scope)},"source":${pythonJsonString(body.source)},"value_type":${pythonJsonString(body.value_type)},"value_v":${pythonJsonString(body.value_v)}}`;
}

/**
 * The content identifier of a fact.
 * @throws CoreError `not_encodable_as_utf8` if a member holds a lone surrogate: such text has no hash. Decoders
 *   refuse it; for text from elsewhere ask {@link tryComputeCid}.
 */
export function computeCid(body: FactBody): CidText {
  return sha256OfText(cidBody(body));
}

/** As {@link computeCid}, for a confidence that is already in text form, e.g. an entry's. */
export function cidOfText(confidence: string, body: Omit<FactBody, 'confidence'>): CidText {
  return sha256OfText(cidBodyText(confidence, body));
}

/** As {@link computeCid}, for text that nobody has checked yet. */
export function tryComputeCid(body: FactBody): Result<CidText, 'not_encodable_as_utf8'> {
  const text = cidBody(body);
  return isWellFormed(text) ? ok(sha256OfText(text)) : err('not_encodable_as_utf8');
}

/** Tells whether a text claims to be a CID, well-formed or not: the reference decides by the prefix alone. */
export function looksLikeCid(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Tells whether a text is a CID: `sha256:` and 64 lower-case hex digits, nothing after them. */
export function isCid(text: string): text is CidText {
  return CID.test(text);
}

/** The 32 hash bytes of a CID. */
export function parseCid(text: string): Result<Buffer, 'cid_malformed'> {
  return isCid(text) ? ok(Buffer.from(text.slice(PREFIX.length), 'hex')) : err('cid_malformed');
}
