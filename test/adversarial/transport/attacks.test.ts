/** Allowed peers that misbehave, and strangers. The victim drops them, stays small, and goes on serving others. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Stream } from '@libp2p/interface';
import type { Transport } from '../../../src/transport/transport.ts';
import { LIMITS, negotiation, PROTOCOL, RawPeer, start, within } from '../../integration/transport/harness.ts';
import { FLOODS, flood } from './floods.ts';
import type { Report } from './victim.ts';

const MAX_GROWTH_BYTES = 80 << 20;
const MAX_STALL_MS = 1_500;
const PAGES = 3;
/** On a busy machine; only a test that fails waits so long. */
const DEADLINE_MS = 30_000;

interface Victim {
  readonly address: string;
  readonly peerId: string;
  report(): Promise<Report>;
  /** Asks until the condition holds, with a deadline. */
  reports(what: string, condition: (report: Report) => boolean): Promise<Report>;
}

async function spawnVictim(t: TestContext): Promise<Victim> {
  const child = fork(new URL('./victim.ts', import.meta.url));
  t.after(() => child.kill('SIGKILL'));
  const died = once(child, 'exit').then(() => Promise.reject(new Error('the victim has ended')));
  const listening = Promise.race([once(child, 'message'), died]);
  const [address] = (await within(DEADLINE_MS, 'the victim listens', listening)) as [string];
  const report = async (): Promise<Report> => {
    child.send('report');
    const [answer] = (await within(DEADLINE_MS, 'an answer of the victim', once(child, 'message'))) as [Report];
    return answer;
  };
  const reports: Victim['reports'] = async (what, condition) => {
    const endMs = performance.now() + DEADLINE_MS;
    for (;;) {
      const now = await report();
      if (condition(now)) return now;
      if (performance.now() > endMs) throw new Error(`never: ${what}; last: ${JSON.stringify(now)}`);
    }
  };
  return { address, peerId: address.split('/p2p/')[1]!, report, reports };
}

/** An honest peer, not connected yet, that asks for a few pages. */
async function goodPeer(t: TestContext, victim: Victim): Promise<Transport> {
  return start(t, 'good', [{ peerId: victim.peerId, addresses: [victim.address] }], { listen: [] });
}

async function isServed(good: Transport, victim: Victim): Promise<void> {
  const read = async (): Promise<number> => {
    let pages = 0;
    for await (const page of good.request(victim.peerId, PROTOCOL, Buffer.from('{}'), LIMITS)) {
      assert.equal(page.byteLength, 300_000);
      if (++pages === PAGES) break;
    }
    return pages;
  };
  assert.equal(await within(DEADLINE_MS, 'an answer for the good peer', read()), PAGES);
}

function assertUnharmed(t: TestContext, report: Report): void {
  const grown = report.peakRss - report.startRss;
  t.diagnostic(`grew ${(grown / 2 ** 20).toFixed(0)} MiB, stalled ${report.stallMs.toFixed(0)} ms`);
  assert.ok(grown < MAX_GROWTH_BYTES, `grew ${grown} bytes`);
  assert.ok(report.stallMs < MAX_STALL_MS, `stalled ${report.stallMs} ms`);
}

for (const { what, stopReading, first, batch, count } of FLOODS)
  test(`flood: ${what}`, async (t) => {
    const victim = await spawnVictim(t);
    const good = await goodPeer(t, victim);
    const evil = await RawPeer.dial(t, 'evil', victim.address);
    await victim.reports('the attacker is in', (report) => report.evilConnected);
    if (stopReading) evil.stopReading();
    if (first) await evil.send(first);
    const flooding = flood(evil, batch, count);
    await isServed(good, victim);
    const report = await victim.reports('the attacker is out', ({ evilConnected }) => !evilConnected);
    assertUnharmed(t, report);
    await within(DEADLINE_MS, 'the end of the flood', flooding);
    await isServed(good, victim);
  });

/** Opens streams of the served protocol and leaves them as `use` does. */
async function misuse(
  t: TestContext,
  streams: number,
  use: (stream: Stream) => void | Promise<void>,
): Promise<{ victim: Victim; opened: Stream[] }> {
  const victim = await spawnVictim(t);
  const good = await goodPeer(t, victim);
  const evil = await RawPeer.dial(t, 'evil', victim.address);
  const opened: Stream[] = [];
  for (let i = 0; i < streams; i++) {
    try {
      const stream = await evil.connection.newStream(PROTOCOL);
      opened.push(stream);
      await use(stream);
    } catch {
      // refused, or reset while we were at it
    }
  }
  await isServed(good, victim);
  return { victim, opened };
}

test('pulls that are never read hold four streams until they idle out', async (t) => {
  const { victim } = await misuse(t, 30, async (stream) => {
    stream.pause();
    stream.send(Buffer.from([2, 0x7b, 0x7d]));
    await stream.close();
  });
  const report = await victim.reports(
    'timeouts',
    ({ codes, answering }) => (codes['timeout'] ?? 0) >= 4 && answering === 0,
  );
  assert.ok(report.mostAnswering <= 5, `${report.mostAnswering} at once, the good one included`);
  assertUnharmed(t, report);
});

test('a declared frame of 200 MB is refused at its length', async (t) => {
  const { victim } = await misuse(t, 4, async (stream) => {
    stream.send(Buffer.from('80808064', 'hex'));
    for (let i = 0; i < 50 && stream.status === 'open'; i++) {
      stream.send(Buffer.alloc(60_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  const report = await victim.reports('refusals', ({ codes }) => codes['frame_too_large'] === 4);
  assertUnharmed(t, report);
});

test('requests of one byte at a time are reset although bytes keep coming', async (t) => {
  const timers: NodeJS.Timeout[] = [];
  t.after(() => timers.forEach(clearInterval));
  const { victim, opened } = await misuse(t, 4, (stream) => {
    stream.send(Buffer.from([0x7f]));
    const trickle = (): void => {
      if (stream.status === 'open') stream.send(Buffer.from(' '));
    };
    timers.push(setInterval(trickle, 100));
  });
  const report = await victim.reports('timeouts', ({ codes }) => codes['timeout'] === 4);
  assert.equal(opened.length, 4);
  assertUnharmed(t, report);
});

test('two thousand requests at once', async (t) => {
  const victim = await spawnVictim(t);
  const good = await goodPeer(t, victim);
  const evil = await RawPeer.dial(t, 'evil', victim.address);
  const hello = Buffer.concat([negotiation('/multistream/1.0.0'), negotiation(PROTOCOL), Buffer.from([2, 0x7b, 0x7d])]);
  const asking = flood(
    evil,
    (i) => Buffer.concat([RawPeer.data(1001 + 2 * i, hello, 1), RawPeer.header(1, 4, 1001 + 2 * i, 0)]),
    2_000,
  );
  await isServed(good, victim);
  await within(DEADLINE_MS, 'the end of the flood', asking);
  const report = await victim.reports('the attacker is out', ({ evilConnected }) => !evilConnected);
  assert.ok(report.mostAnswering <= 5);
  assertUnharmed(t, report);
});

test('silent sockets of one source', async (t) => {
  const victim = await spawnVictim(t);
  const port = Number(/tcp\/(\d+)/.exec(victim.address)?.[1]);
  const sockets = Array.from({ length: 150 }, () =>
    net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' }).on('error', () => {}),
  );
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await victim.reports('refusals', ({ codes }) => (codes['too_many_pending'] ?? 0) >= 100);
  const good = await goodPeer(t, victim);
  await isServed(good, victim);
  assertUnharmed(t, await victim.report());
});

test('strangers, one after another', async (t) => {
  const victim = await spawnVictim(t);
  const good = await goodPeer(t, victim);
  for (let i = 0; i < 8; i++) {
    const stranger = await RawPeer.dial(t, `stranger ${i}`, victim.address).catch(() => undefined);
    if (i === 4) await isServed(good, victim);
    await stranger?.node.stop();
  }
  const report = await victim.reports('refusals', ({ codes }) => codes['unknown_peer'] === 8);
  assert.equal(report.mostAnswering, 1);
  assertUnharmed(t, report);
});
