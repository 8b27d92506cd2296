/** Requests to the daemon of this machine. Its certificate, if it has one, is the one that it wrote into its data folder, and no other. */
import { X509Certificate } from 'node:crypto';
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { Readable } from 'node:stream';

export interface DaemonSender {
  send(request: Request): Promise<Response>;
  close(): void;
}

const CONNECT_TIMEOUT_MS = 5_000;

/** @param certPem certificate of the daemon when it speaks HTTPS: no other one is talked to, whoever signed it */
export function openDaemonSender(base: string, certPem: string | null): DaemonSender {
  const url = loopbackUrl(base);
  const agent =
    certPem === null ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true, ...pinned(certPem) });
  return {
    send: async (request) => {
      const target = new URL(`${url.origin}${pathOf(request.url)}`);
      const body = request.body === null ? null : Buffer.from(await request.arrayBuffer());
      const options: RequestOptions = {
        method: request.method,
        headers: {
          ...Object.fromEntries(request.headers),
          ...(body === null ? {} : { 'content-length': body.byteLength }),
        },
        agent,
        signal: request.signal,
      };
      return exchange(url.protocol === 'https:' ? httpsRequest(target, options) : httpRequest(target, options), body);
    },
    close: () => agent.destroy(),
  };
}

/**
 * Asks whether the daemon is there. One that hangs takes connections and says nothing: whoever wants to know what is wrong
 * must not wait for it.
 *
 * @throws Error when nothing came in time, or there was no connection
 */
export async function askAlive({ send }: DaemonSender, api: string, waitMs: number): Promise<void> {
  const signal = AbortSignal.timeout(waitMs);
  try {
    const health = await send(new Request(`${api}/healthz`, { signal }));
    await health.body?.cancel();
  } catch (thrown) {
    throw signal.aborted ? new Error(`no answer within ${waitMs / 1_000} s`, { cause: thrown }) : thrown;
  }
}

function exchange(outgoing: ClientRequest, body: Buffer | null): Promise<Response> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => outgoing.destroy(new Error('no connection in time')), CONNECT_TIMEOUT_MS);
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) clearTimeout(timer);
      else socket.once('connect', () => clearTimeout(timer));
    });
    outgoing.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    outgoing.on('response', (incoming) => resolve(toResponse(incoming)));
    outgoing.end(body ?? undefined);
  });
}

function toResponse(incoming: IncomingMessage): Response {
  const status = incoming.statusCode ?? 502;
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
  const body = [204, 304].includes(status) ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
  return new Response(body, { status, headers });
}

/** A daemon that listens everywhere is asked on loopback: the token need not leave the machine. */
function loopbackUrl(base: string): URL {
  const url = new URL(base);
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  return url;
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

function pinned(certPem: string): Readonly<Record<string, unknown>> {
  const expected = new X509Certificate(certPem).raw;
  return {
    ca: certPem,
    allowPartialTrustChain: true,
    checkServerIdentity: (_host: string, presented: { readonly raw: Buffer }): Error | undefined =>
      presented.raw.equals(expected)
        ? undefined
        : new Error('it shows another certificate than the daemon said that it serves'),
  };
}
