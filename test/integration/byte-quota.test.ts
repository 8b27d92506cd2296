/** A peer whose true facts fill the disk: it is left alone for its time, the others are not, and a larger quota goes on. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';

const SETTINGS = { 'federation.poll_interval_s': '1' };
const LARGE = 'x'.repeat(60_000);

async function node(t: TestContext, name: string, more: Record<string, string> = {}): Promise<MeshNode> {
  const made = await MeshNode.create(name);
  await made.start({ ...SETTINGS, ...more });
  t.after(() => made.stop());
  return made;
}

async function say(from: MeshNode, count: number, value: (i: number) => string): Promise<void> {
  const { authority } = from.base.config;
  const requests = Array.from({ length: count }, (_, i) => ({
    entity: `stigmem://${authority}/thing/${i}`,
    relation: 'test:state',
    source: `stigmem://${authority}/agent/x`,
    value: value(i),
    value_type: 'text' as const,
    scope: 'public',
    confidence: 1,
    valid_until: null,
    garden_id: null,
    derived_from: [],
    attestation: null,
    interpret_as: 'content',
  }));
  const outcomes = await from.base.writer.assert(requests, { mayWriteInstructions: false });
  assert.ok(outcomes.every(({ kind }) => kind === 'stored'));
}

test('beyond its bytes of a day a peer is asked for nothing, and status says why; others go on', async (t) => {
  const [big, small] = [await node(t, 'big.example'), await node(t, 'small.example')];
  const taker = await node(t, 'taker.example', { 'limits.peer_mib_per_day': '1' });
  // Without repetition, so that it is as large on the wire.
  const random = (i: number): string => LARGE.replaceAll('x', () => Math.floor(Math.random() * 36).toString(36)) + i;
  await say(big, 90, random);
  for (const [name, from] of [
    ['big', big],
    ['small', small],
  ] as const) {
    from.writePeer('taker', taker.asPeer({ share: ['public'] }, false));
    taker.writePeer(name, from.asPeer({ accept: ['public'] }));
  }
  const held = async (): Promise<number> => (await taker.base.writer.stats()).entries;
  const shown = (): string => JSON.stringify(taker.federation.sessions.get('big'));
  await until('its quota is spent', () => /in a day, 1 MiB \(limits\.peer_mib_per_day\)/.test(shown()));
  const taken = await held();
  assert.ok(taken > 5 && taken < 85, `${taken} facts of some 60 KB`);

  await say(small, 3, String);
  await until('the other peer goes on', async () => (await held()) === taken + 3);

  await taker.restart({ ...SETTINGS, 'limits.peer_mib_per_day': '100' });
  await until('a larger quota brings the rest', async () => (await held()) === 93);
});
