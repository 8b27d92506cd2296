import { isUtf8 } from 'node:buffer';
import { type JsonError, type JsonValue, parseJson } from '../../core/json.ts';
import { MAX_JSON_DEPTH } from '../../core/limits.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ApiLimits } from '../api-limits.ts';
import { echo } from './field-errors.ts';
import { invalid, type Refusal } from './responses.ts';

/** A body holds facts inside a batch inside an object: three levels more than one value. */
const MAX_BODY_DEPTH = MAX_JSON_DEPTH + 3;
const JSON_TYPE = /^\s*application\/(?:[\w!#$&^.+-]+\+)?json\s*(?:;|$)/i;

/**
 * Reads a JSON body, number literals kept. The length is checked while bytes arrive and before anything is parsed.
 *
 * @returns 413 too long, 408 too slow, 400 cut short, 422 not JSON or not said to be
 */
export async function readJsonBody(request: Request, limits: ApiLimits): Promise<Result<JsonValue, Refusal>> {
  const bytes = await readBytes(request, limits);
  if (!bytes.ok) return bytes;
  if (!isUtf8(bytes.value)) return err(notUtf8());
  const text = bytes.value.toString('utf8');
  // Without this a page in a browser could send a form or plain text across origins and have it taken.
  if (!JSON_TYPE.test(request.headers.get('content-type') ?? '')) return err(notDeclaredJson(text));
  const parsed = parseJson(text, { maxChars: limits.maxBodyBytes, maxDepth: MAX_BODY_DEPTH });
  return parsed.ok ? parsed : err(notJson(parsed.error));
}

/** Reads a body of plain text, of at most `limits.maxBodyBytes`. @returns as {@link readJsonBody}, 400 when it is no UTF-8 */
export async function readTextBody(request: Request, limits: ApiLimits): Promise<Result<string, Refusal>> {
  const bytes = await readBytes(request, limits);
  if (!bytes.ok) return bytes;
  return isUtf8(bytes.value) ? ok(bytes.value.toString('utf8')) : err({ status: 400, detail: 'the body is not UTF-8' });
}

async function readBytes(request: Request, limits: ApiLimits): Promise<Result<Buffer, Refusal>> {
  if (Number(request.headers.get('content-length') ?? 0) > limits.maxBodyBytes)
    return err(tooLarge(limits.maxBodyBytes));
  if (request.body === null) return ok(Buffer.alloc(0));
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  let timer: NodeJS.Timeout | undefined;
  const tooSlow = new Promise<'too_slow'>((resolve) => {
    timer = setTimeout(resolve, limits.bodyMs, 'too_slow');
  });
  try {
    return await collect(reader, tooSlow, limits);
  } catch {
    return err({
      status: 400,
      detail: 'the request body ended before it was complete',
      headers: { connection: 'close' },
    });
  } finally {
    clearTimeout(timer);
    // Of a body that is not wanted to its end nothing more is buffered.
    reader.cancel().catch(() => undefined);
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  tooSlow: Promise<'too_slow'>,
  limits: ApiLimits,
): Promise<Result<Buffer, Refusal>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const next = await Promise.race([reader.read(), tooSlow]);
    if (next === 'too_slow') return err(slow(limits.bodyMs));
    if (next.done) return ok(Buffer.concat(chunks, size));
    size += next.value.byteLength;
    if (size > limits.maxBodyBytes) return err(tooLarge(limits.maxBodyBytes));
    chunks.push(next.value);
  }
}

function tooLarge(maxBytes: number): Refusal {
  const detail = `the request body is over ${maxBytes} bytes; send the facts in smaller batches`;
  return { status: 413, detail, headers: { connection: 'close' } };
}

function slow(ms: number): Refusal {
  return {
    status: 408,
    detail: `the request body did not arrive within ${ms / 1000} s`,
    headers: { connection: 'close' },
  };
}

function notUtf8(): Refusal {
  const ctx = { error: 'the body is not UTF-8' };
  return invalid({ type: 'json_invalid', loc: ['body', 0], msg: 'JSON decode error', input: {}, ctx });
}

function notDeclaredJson(text: string): Refusal {
  if (text === '') return invalid({ type: 'missing', loc: ['body'], msg: 'Field required', input: null });
  const msg =
    'Input should be a valid dictionary or object to extract fields from: send it with Content-Type: application/json';
  return invalid({ type: 'model_attributes_type', loc: ['body'], msg, input: echo(text) });
}

function notJson(error: JsonError): Refusal {
  const ctx = { error: `expected ${error.expected}, got ${error.got} (line ${error.line}, column ${error.column})` };
  return invalid({ type: 'json_invalid', loc: ['body', error.position], msg: 'JSON decode error', input: {}, ctx });
}
