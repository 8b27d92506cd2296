/**
 * Syslog over TLS. The protocol has no acknowledgement, so each batch has a connection of its own: the receiver has read all of
 * it when it closes its side after ours (RFC 5425 §4.4), and only then is it counted as delivered.
 */
import { once } from 'node:events';
import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { AddressRule, Network } from '../core/address.ts';
import { AddressRefused, guardedLookup, literalFault } from '../outbound/guarded-lookup.ts';
import type { TlsFiles } from '../outbound/http-client.ts';
import { isTrustFault, type Sink, SinkError } from './sink.ts';
import { syslogFrame } from './syslog.ts';

export interface SyslogOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles;
  readonly allowed: readonly Network[];
  /** For connection, frames and closing together. */
  readonly timeoutMs: number;
}

export function createSyslogSink(options: SyslogOptions): Sink {
  return {
    confirms: false,
    async deliver(events, signal) {
      const frames = Buffer.from(events.map(({ event, text }) => syslogFrame(event, text)).join(''));
      await send(options, frames, AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)])).catch(
        (cause: unknown) => {
          if (signal.aborted) throw signal.reason;
          throw asSinkError(cause);
        },
      );
    },
    close: async () => undefined,
  };
}

async function send({ host, port, tls, allowed }: SyslogOptions, frames: Buffer, signal: AbortSignal): Promise<void> {
  const rule: AddressRule = { from: 'operator', allowed };
  const fault = literalFault(host, rule);
  if (fault !== null) throw fault;
  signal.throwIfAborted();
  const name = isIP(host) === 0 ? { servername: host } : {};
  const settings: ConnectionOptions = {
    ...tls,
    ...name,
    host,
    port,
    minVersion: 'TLSv1.2',
    lookup: guardedLookup(() => rule),
  };
  const socket = connect(settings);
  const abort = (): void => void socket.destroy(signal.reason instanceof Error ? signal.reason : undefined);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await once(socket, 'secureConnect');
    await writeAndClose(socket, frames);
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

/** Resolves when the other side has closed in order: a reset, or an end before ours, is a failure. */
async function writeAndClose(socket: TLSSocket, frames: Buffer): Promise<void> {
  let isSent = false;
  const closed = new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the receiver closed the connection')));
    socket.once('end', () => (isSent ? resolve() : reject(new Error('the receiver closed before it had everything'))));
  });
  // A receiver sends nothing; read, so that its closing is seen.
  socket.resume();
  socket.end(frames, () => {
    isSent = true;
  });
  await closed;
}

function asSinkError(cause: unknown): SinkError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const isSetting = cause instanceof AddressRefused || isTrustFault(cause);
  return new SinkError(isSetting ? 'misconfigured' : 'unreachable', message, { cause });
}
