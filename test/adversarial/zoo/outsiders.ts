/** Somebody on the network whom no operator has let in. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { guestSeedOf, INVITE_SECRET_BYTES } from '../../../src/wire/invite-code.ts';
import { peerKeyOf } from '../../../src/wire/peer-key.ts';
import { RawPeer } from '../../integration/transport/harness.ts';
import type { OutsiderAnimal } from './animal.ts';
import type { Victim } from './victim.ts';

const GIVE_UP_MS = 12_000;
const LOOK_EVERY_MS = 20;
const SILENT_SOCKETS = 40;
/** That one source may leave open without a key, and some that were not closed yet. */
const MOST_SILENT = 16;
const GUESSES = 20;

export const OUTSIDERS: readonly OutsiderAnimal[] = [
  {
    kind: 'outsider',
    name: 'stranger',
    threats: [1, 18],
    does: 'Connects with a key that nobody knows',
    verdict: 'It is refused behind its handshake, before a protocol exists, and recorded as `connection_refused`',
    attack: stranger,
    isHeavy: false,
  },
  {
    kind: 'outsider',
    name: 'plaintext',
    threats: [1],
    does: 'Asks for a connection without encryption',
    verdict: 'There is none',
    attack: plaintext,
    isHeavy: false,
  },
  {
    kind: 'outsider',
    name: 'code-guesser',
    threats: [2],
    does: `Tries ${GUESSES} secrets of invitations`,
    verdict: 'It meets what every stranger meets',
    attack: guess,
    isHeavy: false,
  },
  {
    kind: 'outsider',
    name: 'silent-sockets',
    threats: [20],
    does: `Opens ${SILENT_SOCKETS} sockets and says nothing`,
    verdict: 'All but a few are closed at once, the others after four seconds',
    attack: silentSockets,
    isHeavy: true,
  },
];

async function isRefused(victim: Victim, seed: Uint8Array): Promise<readonly string[]> {
  const { peerId, address } = victim.options;
  const ends: (() => unknown)[] = [];
  const context = { after: (end: unknown) => void ends.push(end as () => unknown) };
  try {
    const peer = await RawPeer.dial(context, seed, `${address}/p2p/${peerId}`);
    const endMs = performance.now() + GIVE_UP_MS;
    while (peer.open && performance.now() < endMs) await sleep(LOOK_EVERY_MS);
    return peer.open ? ['a stranger stays connected'] : [];
  } catch {
    return [];
  } finally {
    for (const end of ends) await end();
  }
}

async function stranger(victim: Victim): Promise<readonly string[]> {
  const seed = randomBytes(32);
  const findings = await isRefused(victim, seed);
  if (victim.options.key === '') return findings;
  const endMs = performance.now() + GIVE_UP_MS;
  for (; performance.now() < endMs; await sleep(LOOK_EVERY_MS))
    if ((await victim.audit('event_type=connection_refused')).length > 0) return findings;
  return [...findings, 'no record of a refused connection'];
}

async function guess(victim: Victim): Promise<readonly string[]> {
  const nodeKey = peerKeyOf(victim.options.peerId);
  if (nodeKey === undefined) throw new Error(`not a peer id: ${victim.options.peerId}`);
  const one = (): Promise<readonly string[]> =>
    isRefused(victim, guestSeedOf({ secret: randomBytes(INVITE_SECRET_BYTES), nodeKey }));
  return (await Promise.all(Array.from({ length: GUESSES }, one))).flat();
}

async function plaintext(victim: Victim): Promise<readonly string[]> {
  const line = (text: string): Buffer => Buffer.from([text.length + 1, ...Buffer.from(`${text}\n`)]);
  const socket = open(victim);
  const heard: Buffer[] = [];
  socket.on('data', (bytes) => heard.push(bytes));
  socket.write(Buffer.concat([line('/multistream/1.0.0'), line('/plaintext/2.0.0')]));
  const isClosed = await closedWithin(socket, GIVE_UP_MS);
  const answer = Buffer.concat(heard).toString('latin1');
  return [
    ...(answer.includes('/plaintext/') ? ['a connection without encryption was agreed to'] : []),
    ...(isClosed ? [] : [`still open after ${GIVE_UP_MS / 1000} s`]),
  ];
}

async function silentSockets(victim: Victim): Promise<readonly string[]> {
  const sockets = Array.from({ length: SILENT_SOCKETS }, () => open(victim));
  const closings = sockets.map((socket) => closedWithin(socket, GIVE_UP_MS));
  await sleep(1_000);
  const left = sockets.filter((socket) => !socket.closed).length;
  const isClosed = await Promise.all(closings);
  return [
    ...(left <= MOST_SILENT ? [] : [`${left} of ${SILENT_SOCKETS} silent sockets are open after a second`]),
    ...(isClosed.every(Boolean) ? [] : ['a silent socket stays open']),
  ];
}

function open({ options: { address } }: Victim): Socket {
  const [, host, port] = /^\/ip4\/([^/]+)\/tcp\/(\d+)/.exec(address) ?? [];
  if (host === undefined) throw new Error(`expected an address like /ip4/127.0.0.1/tcp/4101, got ${address}`);
  return connect({ host, port: Number(port) }).on('error', () => {});
}

async function closedWithin(socket: Socket, ms: number): Promise<boolean> {
  // What is not read never ends.
  socket.resume();
  const late = new AbortController();
  const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)));
  const isClosed = await Promise.race([closed, sleep(ms, false, { signal: late.signal }).catch(() => false)]);
  late.abort();
  socket.destroy();
  return isClosed;
}
