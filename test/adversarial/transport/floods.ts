/** What an allowed peer can throw at the multiplexer below all protocols. */
import { RawPeer } from '../../integration/transport/harness.ts';

/** Sends the same bytes until the victim hangs up or all is sent. */
export async function flood(peer: RawPeer, batch: (i: number) => Buffer, count: number): Promise<void> {
  for (let i = 0; i < count; i++) if (!(await peer.send(batch(i)))) return;
}

export interface Flood {
  readonly what: string;
  readonly stopReading?: true;
  readonly first?: Buffer;
  readonly batch: (i: number) => Buffer;
  readonly count: number;
}

const CHUNK = Buffer.alloc(64 << 10);
export const FLOODS: readonly Flood[] = [
  { what: 'a frame of 4 GiB', first: RawPeer.header(0, 0, 1001, 0xffffffff), batch: () => CHUNK, count: 4_000 },
  { what: 'pings whose answers are not read', stopReading: true, batch: () => RawPeer.pings(5_000), count: 600 },
  { what: 'half-open streams', batch: (i) => RawPeer.streams(1001 + i * 2_000, 1_000, false), count: 5 },
  { what: 'streams opened and reset', batch: (i) => RawPeer.streams(1001 + i * 1_000, 500, true), count: 100 },
  { what: 'window updates', batch: () => Buffer.alloc(12 * 5_000, RawPeer.header(1, 0, 1001, 1)), count: 400 },
  {
    what: 'data one byte at a time',
    batch: () => Buffer.alloc(13 * 5_000, RawPeer.data(1001, Buffer.alloc(1))),
    count: 400,
  },
  { what: 'garbage', batch: () => Buffer.alloc(64 << 10, 0xa5), count: 100 },
];
