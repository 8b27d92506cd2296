/**
 * One line of canonical JSON under the signature of a log key. The first line says what it is, so that no signature stands
 * for two things; the second is the origin of the log.
 */
import { err, ok, type Result } from '../core/result.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { ed25519Verifier, formatNote, isKeyName, logLines, parseNote, verifyNote } from '../merkle/note.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import type { Shape } from './shape.ts';

/** Of the JSON text, where a form has no bound of its own. */
export const MAX_DOCUMENT_BYTES = 65_536;
/** Of title, origin and signatures beside it. */
const MAX_AROUND_BYTES = 65_536;

export type DocumentError = 'document_malformed' | 'document_signature_invalid';

export interface DocumentForm<T> {
  /** First line of the text, e.g. `stigmem-snapshot/v1`. */
  readonly title: string;
  readonly shape: Shape<T>;
  /** Of the JSON text; {@link MAX_DOCUMENT_BYTES} unless said otherwise. */
  readonly maxBytes?: number;
}

/** The largest note of a form: whoever reads one from a file or a network looks at its size first. */
export function maxNoteBytes({ maxBytes = MAX_DOCUMENT_BYTES }: Pick<DocumentForm<unknown>, 'maxBytes'>): number {
  return maxBytes + MAX_AROUND_BYTES;
}

export interface OpenedDocument<T> {
  /** Origin of the log whose key has signed. */
  readonly origin: string;
  readonly value: T;
}

/** @throws RangeError if {@link openDocument} would refuse it */
export function signDocument<T>(form: DocumentForm<T>, value: T, signer: LogSigner): string {
  const { title, shape, maxBytes = MAX_DOCUMENT_BYTES } = form;
  const body = Buffer.from(encodeMessage(shape, value));
  if (body.length > maxBytes) throw new RangeError(`a signed document of ${body.length} bytes is too large`);
  const text = `${title}\n${signer.name}\n${body.toString('utf8')}\n`;
  return formatNote({ text, signatures: logLines(text, signer) });
}

/**
 * Reads a signed document. Pure and total.
 *
 * @param keys raw Ed25519 keys of the log, any of which may have signed
 * @param origin null: whatever it names, under one of the keys
 */
export function openDocument<T>(
  form: DocumentForm<T>,
  note: Uint8Array,
  keys: readonly Uint8Array[],
  origin: string | null,
): Result<OpenedDocument<T>, DocumentError> {
  const { title, shape, maxBytes = MAX_DOCUMENT_BYTES } = form;
  const parsed = parseNote(note, maxNoteBytes(form));
  if (!parsed.ok) return err('document_malformed');
  const [head, named = '', body = '', end, ...more] = parsed.value.text.split('\n');
  if (head !== title || end !== '' || more.length > 0 || !isKeyName(named)) return err('document_malformed');
  if (origin !== null && named !== origin) return err('document_malformed');
  const value = decodeMessage(Buffer.from(body, 'utf8'), shape, maxBytes);
  if (!value.ok) return err('document_malformed');
  const isSigned = keys.some((key) => verifyNote(parsed.value, [ed25519Verifier(named, key)]).ok);
  return isSigned ? ok({ origin: named, value: value.value }) : err('document_signature_invalid');
}
