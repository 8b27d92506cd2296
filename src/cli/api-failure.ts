/** From an answer that is no success to what a user reads. */
import type { Answer } from './api-client.ts';
import { CliError, type ExitName } from './exit.ts';
import { type Asked, notFound } from './not-found.ts';

const INTEGRITY: ReadonlySet<string> = new Set(['cid_mismatch', 'leaf_mismatch']);

/** The answer's body, if it is a success. @param asked ids that it may know nothing of @throws CliError otherwise */
export function expectOk(answer: Answer, asked: Asked = {}): string {
  if (answer.status >= 200 && answer.status < 300) return answer.text;
  const detail = detailOf(answer.text);
  const code = detailCode(detail);
  const said = typeof detail === 'string' ? [detail, code] : [code];
  throw (answer.status === 404 ? notFound(said, code, asked) : null) ?? apiFailure(answer);
}

/** Words an error answer: `detail` is a text, an object with a code, or a list of fields that are wrong. */
export function apiFailure(answer: Answer): CliError {
  const detail = detailOf(answer.text);
  const code = detailCode(detail);
  const exit = exitOf(answer.status, code);
  const text = detailText(detail, answer.text);
  if (exit === 'integrity') {
    const fix = 'The stored row was changed behind the node’s back. Run: stigmem-peerd fsck --data DIR';
    return new CliError({ exit, message: text, fix, code });
  }
  if (answer.status >= 500) {
    const again = answer.status === 503 ? 'Try again in a moment. ' : '';
    const id = answer.headers.get('x-request-id');
    const where = id === null ? '' : `The node’s log has more, under trace_id ${id}.`;
    return new CliError({ exit, message: text, fix: `${again}${where}`.trim(), code });
  }
  return new CliError({ exit, message: text, code });
}

/** Words the `detail` of a refusal, whatever its form. */
export function detailText(detail: unknown, fallback: string): string {
  if (typeof detail === 'string') return detail;
  if (Array.isArray(detail)) return detail.map(fieldText).join('; ');
  if (typeof detail !== 'object' || detail === null) return fallback.slice(0, 300);
  const { code, message } = Object.fromEntries(Object.entries(detail));
  return [code, message].filter((part) => typeof part === 'string').join(': ');
}

/** The code in the `detail` of a refusal; `refused` where there is none. */
export function detailCode(detail: unknown): string {
  const holder: unknown = Array.isArray(detail) ? member(detail[0], 'ctx') : detail;
  const code = member(holder, 'code');
  return typeof code === 'string' ? code : 'refused';
}

function detailOf(text: string): unknown {
  try {
    return member(JSON.parse(text), 'detail');
  } catch {
    return undefined;
  }
}

function fieldText(error: unknown): string {
  const loc = member(error, 'loc');
  const where = Array.isArray(loc)
    ? loc.filter((part) => part !== 'body' && part !== 'facts' && typeof part !== 'number').join('.')
    : '';
  const message = String(member(error, 'msg') ?? 'invalid').replace(/^Value error, /, '');
  return where === '' ? message : `${where}: ${message}`;
}

function exitOf(status: number, code: string): ExitName {
  if (status === 404) return 'not_found';
  if (status === 409 && INTEGRITY.has(code)) return 'integrity';
  return status === 503 ? 'unavailable' : 'refused';
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, name) ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
}
