/** How pages read and change anything: as a client of the API in the same process, with its permissions, limits and records. */

import type { Permission } from '../../core/permissions.ts';
import { permits } from '../../core/permissions.ts';
import type { Party } from '../party.ts';
import type { ConsoleDeps } from './deps.ts';

export type Answer<T> =
  | { readonly ok: true; readonly status: number; readonly value: T }
  | { readonly ok: false; readonly status: number; readonly message: string };

/** The API for one person. */
export interface Ask {
  readonly may: (permission: Permission) => boolean;
  readonly mayAny: (permissions: readonly Permission[]) => boolean;
  /** What comes back has the form that the API documents: both are one program. */
  get<T>(path: string): Promise<Answer<T>>;
  post<T>(path: string, body: unknown): Promise<Answer<T>>;
  delete<T>(path: string): Promise<Answer<T>>;
  /** The answer as it is: a file, a stream; without its body where the page was asked for by HEAD. */
  raw(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

interface Origin {
  /** How the page is asked for: a stream that nobody reads must not be opened. */
  readonly method: string;
  readonly address?: string | undefined;
  readonly stopping?: AbortSignal | undefined;
}

export function askAs(holder: Party, { api }: Pick<ConsoleDeps, 'api'>, { method, address, stopping }: Origin): Ask {
  const send = async (verb: string, path: string, init: RequestInit = {}): Promise<Response> =>
    api.fetch(new Request(`http://console.invalid${path}`, { ...init, method: verb }), {
      signedIn: holder,
      address,
      ...(stopping === undefined ? {} : { stopping }),
    });
  const may = (permission: Permission): boolean => permits(holder, permission);
  return {
    may,
    mayAny: (permissions) => permissions.some(may),
    get: async (path) => answerOf(await send('GET', path)),
    delete: async (path) => answerOf(await send('DELETE', path)),
    post: async (path, body) =>
      answerOf(
        await send('POST', path, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      ),
    raw: (path, headers = {}) => send(method === 'HEAD' ? 'HEAD' : 'GET', path, { headers }),
  };
}

async function answerOf<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text();
  const body: unknown = text === '' ? null : JSON.parse(text);
  const { status } = response;
  // A node that is not ready says so with 503 and the whole answer.
  if (status < 400) return { ok: true, status, value: body as T };
  return { ok: false, status, message: messageOf(body, status) };
}

/** The API's errors have a text, an object with a message, or a list of fields. */
function messageOf(body: unknown, status: number): string {
  const detail = member(body, 'detail');
  if (typeof detail === 'string') return detail;
  if (Array.isArray(detail)) return detail.map(fieldSentence).join('; ');
  const message = member(detail, 'message');
  if (typeof message === 'string') return message;
  return member(body, 'error') === 'quota_exceeded'
    ? 'too many requests with this key; wait a little'
    : `the node answered ${status}`;
}

function fieldSentence(error: unknown): string {
  const at = member(error, 'loc');
  const name = Array.isArray(at) ? String(at.at(-1)) : '';
  return `${name}: ${String(member(error, 'msg'))}`;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** A path with its parts encoded: no name of a peer reaches another route. */
export function path(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return parts.reduce(
    (text, part, i) => `${text}${part}${i < values.length ? encodeURIComponent(String(values[i])) : ''}`,
    '',
  );
}
