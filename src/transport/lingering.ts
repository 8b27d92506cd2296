import { Socket } from 'node:net';
import type { MultiaddrConnection } from '@libp2p/interface';

/** For what is still on its way to a peer that has ended its side. */
const LINGER_MS = 5_000;

/**
 * Ends the socket of a connection soon after the connection. The library counts one as closed as soon as the other side has said that
 * it sends nothing more; the socket stays until what is left for that peer is taken, which one that never reads puts off for good: out
 * of all counts, with its memory and its descriptor, and in the way of the stop.
 */
export function endWithConnection(connection: MultiaddrConnection): void {
  const socket: unknown = Reflect.get(connection, 'socket');
  if (!(socket instanceof Socket)) return;
  const end = (): void => {
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  };
  connection.addEventListener('close', end, { once: true });
}
