/**
 * Requests to servers that an operator named: bounded in bytes and time, to addresses that the rule lets through. Redirects
 * are not followed: a server says where it is by being there.
 */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AddressRule, Network } from '../core/address.ts';
import { AddressRefused, guardedLookup, literalFault, type Resolve } from './guarded-lookup.ts';

export type HttpFault = 'address_refused' | 'redirected' | 'too_large' | 'unreachable';

export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: HttpFault;

  constructor(code: HttpFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Of the answer's body. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface HttpClient {
  /**
   * @returns the whole answer
   * @throws HttpError; the signal's reason
   */
  send(url: string, request: HttpRequest): Promise<Response>;
}

/** PEM of whom to trust and of who we are; without: the system's authorities, and nobody. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * @param allowed networks that the operator allows besides
 * @param from who names the addresses that are asked for
 */
export function createHttpClient(
  allowed: readonly Network[],
  resolve?: Resolve,
  tls: TlsFiles = {},
  from: AddressRule['from'] = 'operator',
): HttpClient {
  const rule: AddressRule = { from, allowed };
  const lookup = guardedLookup(() => rule, resolve);
  // Of its own: a connection of the process's agent may have been made without the rule.
  const agents = { 'http:': new HttpAgent({ keepAlive: true }), 'https:': new HttpsAgent({ ...tls, keepAlive: true }) };
  return {
    async send(text, { method = 'GET', headers = {}, body, maxBytes, signal }) {
      const url = new URL(text);
      const fault = literalFault(url.hostname, rule);
      if (fault !== null) throw new HttpError('address_refused', fault.message, { cause: fault });
      signal.throwIfAborted();
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = { method, headers: { ...headers, ...length }, lookup, signal };
      try {
        const outgoing =
          url.protocol === 'https:'
            ? httpsRequest(url, { ...options, agent: agents['https:'] })
            : httpRequest(url, { ...options, agent: agents['http:'] });
        return await answerOf(outgoing, body, maxBytes);
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        throw toHttpError(thrown);
      }
    },
  };
}

async function answerOf(
  outgoing: ClientRequest,
  body: string | Uint8Array | undefined,
  maxBytes: number,
): Promise<Response> {
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
    // As behind `101 Switching Protocols`, which is neither an answer nor an error.
    outgoing.once('close', () => reject(new Error('the server closed the connection without an answer')));
    outgoing.end(body);
  });
  const status = incoming.statusCode ?? 502;
  if (REDIRECTS.has(status)) {
    outgoing.destroy();
    throw new HttpError('redirected', `the server answered ${status} and names another place, which is not followed`);
  }
  const bytes = await bodyOf(incoming, maxBytes);
  // It answered before it had read everything: the connection would stay open for the rest.
  if (!outgoing.writableFinished) outgoing.destroy();
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
  return new Response(WITHOUT_BODY.has(status) ? null : bytes, { status, headers });
}

async function bodyOf(incoming: IncomingMessage, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop closes the connection.
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new HttpError('too_large', `the answer is over ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function toHttpError(thrown: unknown): HttpError {
  if (thrown instanceof HttpError) return thrown;
  if (thrown instanceof AddressRefused) return new HttpError('address_refused', thrown.message, { cause: thrown });
  // Several addresses were tried: what is thrown then says nothing itself.
  const errors = thrown instanceof AggregateError ? (thrown.errors as readonly unknown[]) : [thrown];
  const words = errors.map((error) => (error instanceof Error ? error.message : String(error)));
  return new HttpError('unreachable', words.join('; '), { cause: thrown });
}
