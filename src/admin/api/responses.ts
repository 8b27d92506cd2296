/** Answers. Every response of the API is made here, so that none lacks its headers. */

/** One problem with the input, in the form that pydantic gives it and that Stigmem's clients know. */
export interface FieldError {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
  readonly ctx?: Readonly<Record<string, unknown>>;
}

export type Detail = string | Readonly<Record<string, unknown>> | readonly FieldError[];

/** Why a request was not served: a value, turned into a response at the edge. */
export interface Refusal {
  readonly status: number;
  readonly detail: Detail;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a request that failed through no fault of the caller's. */
  readonly requestId?: string;
}

/** Header with the id that log lines, calls and audit records of a request carry. */
export const REQUEST_ID = 'x-request-id';

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

type Headers = Readonly<Record<string, string>>;

/** A response with a body that is already text or a stream. */
export function answer(
  status: number,
  contentType: string,
  body: string | ReadableStream | Uint8Array<ArrayBuffer>,
  headers: Headers = {},
): Response {
  return new Response(body, { status, headers: { 'content-type': contentType, ...SECURITY_HEADERS, ...headers } });
}

/** A response that is to be saved as a file. */
export function file(bytes: Uint8Array, contentType: string, name: string): Response {
  const headers = {
    'content-type': contentType,
    'content-disposition': `attachment; filename="${name}"`,
    ...SECURITY_HEADERS,
  };
  return new Response(Uint8Array.from(bytes), { status: 200, headers });
}

/** A response with JSON text that somebody has built already. */
export function jsonText(status: number, body: string, headers?: Headers): Response {
  return answer(status, 'application/json', body, headers);
}

/** A response with a value as JSON. */
export function json(status: number, body: unknown, headers?: Headers): Response {
  return jsonText(status, JSON.stringify(body), headers);
}

/** The error object of the API: always an object with `detail`. */
export function refused({ status, detail, headers, requestId }: Refusal): Response {
  return json(status, requestId === undefined ? { detail } : { detail, request_id: requestId }, headers);
}

/** @returns 422 with the problems listed */
export function invalid(...errors: readonly FieldError[]): Refusal {
  return { status: 422, detail: errors };
}
