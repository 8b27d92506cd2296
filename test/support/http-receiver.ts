/** An HTTP server that receives events and fails in every way that it is told to. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What it does with one request. */
export type Behaviour =
  | { readonly answer: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Takes what it was sent, and the connection breaks before the answer is there. */
  | 'take_and_reset'
  | 'reset'
  | 'close_at_once'
  | 'garbage'
  | 'endless_answer'
  /** Takes it, begins to answer, and the connection breaks in the middle. */
  | 'take_and_half_answer'
  /** Takes it, and answers late. */
  | 'slow';

const SLOW_MS = 100;

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly taken: boolean;
}

export class HttpReceiver {
  readonly received: Received[] = [];
  /** For the next requests, one each; after that {@link usual}. */
  readonly next: Behaviour[] = [];
  usual: (body: string) => Behaviour = () => ({ answer: 200, body: '{}' });
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** On the port that it had before, if it had one. */
  async start(): Promise<this> {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const early = this.next[0];
    if (early === 'close_at_once') {
      this.next.shift();
      socket.destroy();
      return;
    }
    const body = await text(request).catch(() => null);
    // The sender died in the middle of it, or this server is being stopped.
    if (body === null) return;
    const how = this.next.shift() ?? this.usual(body);
    const taken = typeof how === 'object' ? how.answer < 300 : how.startsWith('take_') || how === 'slow';
    this.received.push({ path: request.url ?? '', headers: request.headers, body, taken });
    if (how === 'garbage') socket.end('this is not HTTP\r\n\r\n');
    else if (how === 'reset' || how === 'take_and_reset') socket.resetAndDestroy();
    else if (how === 'take_and_half_answer') {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"text":', () => socket.resetAndDestroy());
    } else if (how === 'slow') setTimeout(() => response.writeHead(200).end('{"text":"Success","code":0}'), SLOW_MS);
    else if (how === 'endless_answer') {
      response.writeHead(200);
      const more = (): void => {
        while (response.write('x'.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    } else if (how !== 'close_at_once') response.writeHead(how.answer, how.headers).end(how.body ?? '');
  }
}
