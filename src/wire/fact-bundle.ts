import { isUtf8 } from 'node:buffer';
import { canonicalJson, isCanonicalJson, type PlainJson } from '../core/canonical-json.ts';
import { MAX_ENTRY_BYTES } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import { SALT_BYTES } from '../merkle/commitment.ts';
import { MAX_NOTE_BYTES } from '../merkle/note.ts';
import { base64, list, literal, type Malformed, object, type Shape, text } from './shape.ts';

export const FACT_BUNDLE_KIND = 'stigmem-fact-bundle/v1';
/** Backends of one node are few. */
const MAX_ANCHORS = 16;
/** Whole bundle: an entry of the longest value, two notes, and what logs return. */
export const MAX_FACT_BUNDLE_BYTES = 2_097_152;

/** One fact with everything by which a stranger can check it. Nothing of it is verified by reading it. */
export interface FactBundle {
  /** Receipts of transparency logs for the checkpoint in `proof`. */
  readonly anchors: readonly { readonly [member: string]: PlainJson }[];
  /** The node's signed declaration: which keys are its own. */
  readonly declaration: string;
  /** The exact text that the leaf commits to. */
  readonly entry: string;
  readonly kind: typeof FACT_BUNDLE_KIND;
  /** Reserved for the proof at the origin of a received fact. */
  readonly origin: null;
  /** C2SP tlog-proof with the checkpoint. */
  readonly proof: string;
  /** base64 of 32 bytes */
  readonly salt: string;
}

const ANCHOR: Shape<FactBundle['anchors'][number]> = {
  check: (value, at) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? null
      : { at, expected: 'an anchor receipt', got: 'another value' },
};

const BUNDLE: Shape<FactBundle> = object<FactBundle>({
  anchors: list(ANCHOR, MAX_ANCHORS),
  declaration: text(MAX_NOTE_BYTES),
  entry: text(MAX_ENTRY_BYTES),
  kind: literal(FACT_BUNDLE_KIND),
  origin: literal(null),
  proof: text(MAX_NOTE_BYTES + 4_096),
  salt: base64(SALT_BYTES),
});

/**
 * Writes a bundle: JSON as RFC 8785 has it.
 *
 * @throws TypeError if {@link decodeFactBundle} would refuse it
 */
export function encodeFactBundle(bundle: FactBundle): string {
  const json = canonicalJson(bundle as unknown as PlainJson);
  const read = decodeFactBundle(json);
  if (!read.ok) throw new TypeError(`own bundle, at "${read.error.at}": expected ${read.error.expected}`);
  return json;
}

/** Reads a bundle. Pure and total; one text per bundle, bounded before it is parsed. */
export function decodeFactBundle(bundle: string | Uint8Array): Result<FactBundle, Malformed> {
  const bytes = typeof bundle === 'string' ? Buffer.from(bundle) : bundle;
  if (bytes.length > MAX_FACT_BUNDLE_BYTES)
    return wrong('', `at most ${MAX_FACT_BUNDLE_BYTES} bytes`, `${bytes.length} bytes`);
  if (!isUtf8(bytes)) return wrong('', 'UTF-8', 'other bytes');
  const json = typeof bundle === 'string' ? bundle : Buffer.from(bytes).toString('utf8');
  const parsed = parse(json);
  if (parsed === undefined) return wrong('', 'JSON', 'other text');
  const bad = BUNDLE.check(parsed.value, '');
  if (bad !== null) return err(bad);
  return isCanonicalJson(parsed.value, json)
    ? ok(parsed.value as FactBundle)
    : wrong('', 'canonical JSON', 'another encoding');
}

function parse(json: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(json) };
  } catch {
    return undefined;
  }
}

function wrong(at: string, expected: string, got: string): { readonly ok: false; readonly error: Malformed } {
  return err({ at, expected, got });
}
