/** A small S3-compatible store on loopback: objects in memory, conditional writes, path-style buckets, signed requests only. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface S3Store {
  readonly url: string;
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** Method and path of each request, in order. */
  readonly requests: readonly string[];
  /** An object that was there before. @param path below the bucket */
  place(path: string, bytes: Buffer): void;
  /** Answers each request with this status from now on; null: works again. */
  fail(status: number | null): void;
  close(): Promise<void>;
}

/** @param conditional false: a store that knows no conditional writes, which answers 501 to them */
export async function startS3Store(conditional = true): Promise<S3Store> {
  const objects = new Map<string, Buffer>();
  const requests: string[] = [];
  let failure: number | null = null;
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const path = incoming.url ?? '';
    requests.push(`${incoming.method} ${path}`);
    const body = await buffer(incoming).catch(() => null);
    // The sender died in the middle of it, or this server is being stopped.
    if (body === null) return;
    const [status, answer] = failure === null ? handle(incoming, path, body) : [failure, '<Message>no</Message>'];
    const etag = objects.get(path);
    outgoing.writeHead(status, etag === undefined ? {} : { etag: etagOf(etag) }).end(answer);
  };
  const handle = (incoming: IncomingMessage, path: string, body: Buffer): [number, string | Buffer] => {
    const { authorization, 'if-none-match': none, 'if-match': match } = incoming.headers;
    if (!/^AWS4-HMAC-SHA256 Credential=key\/\d{8}\/[a-z0-9-]+\/s3\//.test(authorization ?? '')) return [403, ''];
    if (!path.startsWith('/logs/')) return [404, '<Code>NoSuchBucket</Code><Message>no such bucket</Message>'];
    const held = objects.get(path);
    if (incoming.method === 'GET' || incoming.method === 'HEAD')
      return held === undefined ? [404, '<Code>NoSuchKey</Code>'] : [200, held];
    if (!conditional && (none ?? match) !== undefined) return [501, '<Code>NotImplemented</Code>'];
    if (none === '*' && held !== undefined) return [412, ''];
    if (match !== undefined && (held === undefined || etagOf(held) !== match)) return [412, ''];
    objects.set(path, body);
    return [200, ''];
  };
  const server: Server = createServer((incoming, outgoing) => void serve(incoming, outgoing));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    requests,
    place: (path, bytes) => void objects.set(`/logs/${path}`, bytes),
    fail: (status) => {
      failure = status;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function etagOf(bytes: Buffer): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}
