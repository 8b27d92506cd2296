import { isJsonObject, type JsonValue, jsonText, parseJson } from '../core/json.ts';
import { ApiError } from './errors.ts';

export interface HttpOptions {
  /** Base URL of the API. */
  readonly url: string;
  /** API key; none for what is public. */
  readonly key?: string;
  readonly fetch?: typeof globalThis.fetch;
  /** For one answer, ms. */
  readonly timeoutMs?: number;
}

export interface Ask {
  readonly method?: 'GET' | 'POST';
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Beyond the usual time, ms: for answers that wait. */
  readonly waitMs?: number;
}

const TIMEOUT_MS = 30_000;
/** A page of 500 facts with their bundles. */
const MAX_ANSWER_BYTES = 67_108_864;
const MAX_QUOTED_CHARS = 300;

/** Requests to one server. Answers are bounded; numbers keep their text. */
export class Http {
  readonly #options: HttpOptions;
  readonly #base: string;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#base = options.url.replace(/\/+$/, '');
  }

  /** @throws ApiError for any status that is not 2xx, and for an answer that is no JSON */
  async ask(path: string, ask: Ask = {}): Promise<JsonValue> {
    const response = await this.#send(path, ask);
    const text = await readBounded(response);
    const parsed = parseJson(text, { maxChars: MAX_ANSWER_BYTES });
    if (!response.ok) throw refusal(response.status, parsed.ok ? parsed.value : null, text);
    if (parsed.ok) return parsed.value;
    throw new ApiError(response.status, null, `the answer to ${path} is no JSON (${parsed.error.code})`);
  }

  async #send(path: string, ask: Ask): Promise<Response> {
    const { key, timeoutMs = TIMEOUT_MS, fetch = globalThis.fetch } = this.#options;
    const limit = AbortSignal.timeout(timeoutMs + (ask.waitMs ?? 0));
    const headers = new Headers(ask.headers);
    if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
    if (ask.body !== undefined) headers.set('content-type', 'application/json');
    try {
      return await fetch(`${this.#base}${path}${queryText(ask.query ?? {})}`, {
        method: ask.method ?? 'GET',
        headers,
        // A redirect would take the key to somebody else.
        redirect: 'error',
        signal: ask.signal === undefined ? limit : AbortSignal.any([limit, ask.signal]),
        ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
      });
    } catch (cause) {
      if (ask.signal?.aborted) throw cause;
      throw new ApiError(0, null, `${this.#base} does not answer: ${(cause as Error).message}`, { cause });
    }
  }
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let bytes = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    bytes += part.value.length;
    if (bytes > MAX_ANSWER_BYTES) {
      await reader?.cancel();
      throw new ApiError(response.status, null, `the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}

function refusal(status: number, body: JsonValue, text: string): ApiError {
  const detail = isJsonObject(body) ? body.get('detail') : undefined;
  const code = isJsonObject(detail) ? detail.get('code') : undefined;
  const message = isJsonObject(detail) ? detail.get('message') : detail;
  const said = typeof message === 'string' ? message : text.slice(0, MAX_QUOTED_CHARS);
  const more = detail === undefined ? {} : { detail: jsonText(detail) };
  return new ApiError(status, typeof code === 'string' ? code : null, `the server answered ${status}: ${said}`, more);
}

function queryText(query: NonNullable<Ask['query']>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== false);
  const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}
