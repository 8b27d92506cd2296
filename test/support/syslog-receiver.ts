/** A syslog receiver over TLS (RFC 5425): frames by their octet counts, and the closing that says that it has read them. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { selfSigned } from './self-signed.ts';

export class SyslogReceiver {
  readonly #keys = selfSigned();
  /** With those that are in the middle of their handshake: whoever dies there leaves a connection that would stay half open for good. */
  readonly #open = new Set<Socket>();
  readonly #serving = new Set<Promise<void>>();
  /** Messages, without their counts, in the order in which they came. */
  readonly messages: string[] = [];
  /** How many there were before each connection. */
  readonly #before: number[] = [];
  #server: Server | undefined;
  #port = 0;

  get cert(): string {
    return this.#keys.cert;
  }

  get url(): string {
    return `tls://localhost:${this.#port}`;
  }

  /** On the port that it had before, if it had one. */
  async start(): Promise<this> {
    this.#server = createServer({ ...this.#keys, allowHalfOpen: true }, (socket) => {
      const served = this.#serve(socket).finally(() => this.#serving.delete(served));
      this.#serving.add(served);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
    this.#server.listen(this.#port, 'localhost');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** What had come is read when it resolves. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    for (const socket of this.#open) socket.destroy();
    server.close();
    await once(server, 'close');
    await Promise.all(this.#serving);
  }

  /** It ends before it has written what it had read on its newest connections, which its sender took for delivered. */
  loseNewest(connections = 1): void {
    this.messages.length = this.#before.at(-connections) ?? 0;
    this.#before.length = Math.max(0, this.#before.length - connections);
  }

  async #serve(socket: TLSSocket): Promise<void> {
    socket.on('error', () => undefined);
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of socket as AsyncIterable<Uint8Array>) chunks.push(chunk);
      this.#read(Buffer.concat(chunks));
      socket.end();
    } catch {
      // Cut off: what had come whole is read, as a receiver does that has no transactions.
      this.#read(Buffer.concat(chunks));
    }
  }

  #read(bytes: Buffer): void {
    this.#before.push(this.messages.length);
    for (let at = 0; at < bytes.length; ) {
      const space = bytes.indexOf(0x20, at);
      if (space === -1) return;
      const count = Number(bytes.toString('latin1', at, space));
      if (!Number.isSafeInteger(count)) throw new Error(`no octet count at ${at}`);
      if (space + 1 + count > bytes.length) return;
      this.messages.push(bytes.toString('utf8', space + 1, space + 1 + count));
      at = space + 1 + count;
    }
  }
}
