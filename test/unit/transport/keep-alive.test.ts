import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../src/transport/clock.ts';
import { TransportError } from '../../../src/transport/errors.ts';
import { KeepAlive, type PeerStatus } from '../../../src/transport/keep-alive.ts';
import type { AllowedPeer } from '../../../src/transport/peers.ts';
import type { PeerListener } from '../../../src/transport/transport.ts';

const QUARTER_HOUR_MS = 15 * 60_000;

class VirtualClock implements Clock {
  #nowMs = 1_000_000;
  #timers: { atMs: number; run: () => void }[] = [];
  nowMs = (): number => this.#nowMs;

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get waiting(): number {
    return this.#timers.length;
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = next.atMs;
      next.run();
      await settle();
    }
    this.#nowMs = endMs;
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(random = 0, up = false) {
  const clock = new VirtualClock();
  const peer: AllowedPeer = { peerId: 'peer', addresses: ['/ip4/192.0.2.7/tcp/1'] };
  const world = {
    up,
    connected: false,
    dials: [] as number[],
    allowed: [peer, { peerId: 'me', addresses: ['x'] }],
  };
  let tell: PeerListener = () => {};
  const change = (connected: boolean): void => {
    world.connected = connected;
    tell('peer', connected ? 'connected' : 'disconnected');
  };
  const transport = {
    peerId: 'me',
    connected: () => world.connected,
    subscribe(listener: PeerListener) {
      tell = listener;
      return () => {
        tell = () => {};
      };
    },
    async dial(peerId: string) {
      assert.equal(peerId, 'peer');
      world.dials.push(clock.nowMs());
      if (!world.up) throw new TransportError('dial_failed', 'connection refused');
      change(true);
    },
  };
  const keep = new KeepAlive({ transport, allowed: () => world.allowed, clock, random: () => random });
  const status = (): PeerStatus => keep.status('peer')!;
  return { clock, world, keep, status, change, peer };
}

test('waits longer after each failure, up to 15 minutes, and never gives up', async () => {
  const { clock, world, status } = setUp(0.999999);
  await clock.advance(24 * 3_600_000);
  const gaps = world.dials.slice(1).map((atMs, i) => atMs - world.dials[i]!);
  assert.ok(gaps.every((gap, i) => i === 0 || gap > gaps[i - 1]! - 1));
  assert.ok(gaps[0]! <= 1_000 && gaps[1]! <= 2_000);
  assert.ok(gaps.at(-1)! <= QUARTER_HOUR_MS && gaps.at(-1)! > 0.99 * QUARTER_HOUR_MS);
  assert.equal(status().attempts, world.dials.length);
  assert.equal(status().state, 'waiting');
  assert.match(status().lastError ?? '', /connection refused/);
  assert.ok(status().nextDialAtMs! > clock.nowMs());
});

test('half of each delay is random', async () => {
  const { clock, world } = setUp(0);
  await clock.advance(24 * 3_600_000);
  const [last, before] = [world.dials.at(-1)!, world.dials.at(-2)!];
  assert.equal(last - before, QUARTER_HOUR_MS / 2);
});

test('a settled connection resets the backoff, whoever dialled', async () => {
  for (const dialledBy of ['us', 'them']) {
    const { clock, world, status, change } = setUp();
    await clock.advance(3_600_000);
    assert.ok(status().attempts > 5);
    if (dialledBy === 'them') change(true);
    else {
      world.up = true;
      await clock.advance(QUARTER_HOUR_MS);
    }
    assert.equal(status().state, 'connected');
    assert.equal(status().nextDialAtMs, undefined);
    await clock.advance(QUARTER_HOUR_MS);
    const dials = world.dials.length;
    change(false);
    assert.deepEqual({ attempts: status().attempts, error: status().lastError }, { attempts: 0, error: undefined });
    assert.equal(status().lastContactAtMs, clock.nowMs());
    await clock.advance(500);
    assert.equal(world.dials.length, dials + 1, 'dials again within half a second');
  }
});

test('a connection of under five seconds counts as a failure', async () => {
  const { clock, status, change } = setUp(0, true);
  await settle();
  for (let i = 1; i <= 4; i++) {
    assert.equal(status().state, 'connected');
    await clock.advance(4_999);
    change(false);
    assert.equal(status().attempts, i);
    assert.match(status().lastError ?? '', /hung up after 4999 ms/);
    await clock.advance(status().nextDialAtMs! - clock.nowMs());
  }
  await clock.advance(5_000);
  change(false);
  assert.equal(status().attempts, 0);
});

test('a failed dial does not undo a connection that they opened meanwhile', async () => {
  const { clock, status, change } = setUp();
  change(true);
  await settle();
  assert.deepEqual({ state: status().state, attempts: status().attempts }, { state: 'connected', attempts: 0 });
  assert.equal(clock.waiting, 0);
});

test('refresh: new addresses are tried at once, removed peers are forgotten, new ones dialled', async () => {
  const { clock, world, keep, status, peer } = setUp();
  await clock.advance(3_600_000);
  const dials = world.dials.length;
  keep.refresh();
  await settle();
  assert.equal(world.dials.length, dials + 1);
  world.allowed = [{ ...peer, addresses: [] }];
  keep.refresh();
  assert.equal(status().state, 'waiting');
  assert.equal(status().nextDialAtMs, undefined);
  world.allowed = [];
  keep.refresh();
  assert.equal(keep.status('peer'), undefined);
  assert.equal(clock.waiting, 0);
  await clock.advance(3_600_000);
  assert.equal(world.dials.length, dials + 1);
  world.allowed = [peer];
  world.up = true;
  keep.refresh();
  await settle();
  assert.equal(status().state, 'connected');
});

test('our own entry is not dialled, and stop leaves nothing behind', async () => {
  const { clock, world, keep, change } = setUp();
  await clock.advance(60_000);
  assert.equal(keep.status('me'), undefined);
  keep.stop();
  assert.equal(clock.waiting, 0);
  const dials = world.dials.length;
  change(false);
  await clock.advance(3_600_000);
  assert.equal(world.dials.length, dials);
});
