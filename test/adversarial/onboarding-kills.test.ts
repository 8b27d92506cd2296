/** kill -9 at each durable step of becoming partners, on either side; then the operators type their commands again. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OnboardingView } from '../../src/core/onboarding.ts';
import { type Answer, Bench, type NodeProcess } from '../support/node-process.ts';

const ONBOARDING = '/v1/federation/onboarding';

/**
 * A record is written when it is made, when somebody comes, when the yes is said, and when it is carried out. `before peers/`
 * is after the pin.
 */
const DEATHS = [
  ...['after onboarding/#1', 'before onboarding/#2', 'after onboarding/#2', 'after onboarding/#3'].map((at) => [
    'acme',
    at,
  ]),
  ...['before peers/', 'after peers/', 'after onboarding/#4'].map((at) => ['acme', at]),
  ...['before onboarding/#1', 'after onboarding/#1', 'after onboarding/#2'].map((at) => ['globex', at]),
  ...['before peers/', 'after peers/', 'after onboarding/#3'].map((at) => ['globex', at]),
].map(([who = '', at = '']) => ({ who, at }));

test('kill -9 at each durable step of either side, then again: one partner, no half of one, no second use', async (t) => {
  const bench = new Bench(t);
  const nodes = await Promise.all(
    ['acme', 'globex'].map(async (name) => {
      const node = await bench.node(`${name}.example`, ['federation.poll_interval_s=1', 'guard.wait_s=1']);
      return node.start(join(bench.root, name));
    }),
  );
  const [acme, globex] = nodes as [NodeProcess, NodeProcess];
  for (const { who, at } of DEATHS)
    await t.test(`${who}, ${at}`, async () => {
      for (const node of [acme, globex]) forgetPartner(node);
      await survives({ bench, acme, globex }, who === 'acme' ? acme : globex, at);
    });
  // After all of it they still know each other.
  await Promise.all([acme.peerUntil('globex', 'is greeted', isMet), globex.peerUntil('acme', 'is greeted', isMet)]);
});

interface Pair {
  readonly bench: Bench;
  readonly acme: NodeProcess;
  readonly globex: NodeProcess;
}

async function survives({ bench, acme, globex }: Pair, victim: NodeProcess, at: string): Promise<void> {
  const orders = join(bench.root, victim.authority.split('.')[0] ?? '');
  writeFileSync(orders, at);
  let deaths = 0;
  /** What an operator does whose node died under a command: starts it and types the command again. */
  const again = async (step: () => Promise<Answer>): Promise<Answer> => {
    const answer = await step().catch(() => null);
    if (answer !== null && answer.status < 300) return answer;
    await victim.ended();
    deaths++;
    await victim.start(orders);
    return step();
  };
  const made = await again(() => acme.post('/v1/federation/invites', { share: ['public'], accept: ['public'] }));
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { code, onboarding } = made.body;
  const joined = await again(() => globex.post('/v1/federation/join', { code }));
  assert.equal(joined.status, 200, JSON.stringify(joined.body));
  const { words } = joined.body.partner;
  for (const node of [acme, globex]) {
    const done = await again(() => node.post(`${ONBOARDING}/${onboarding.id}/confirm`, { words }));
    // A yes that was written down before the node died has been carried out at its start.
    assert.ok(done.status === 200 || done.status === 404, JSON.stringify(done.body));
    assert.equal((await node.get(`${ONBOARDING}/${onboarding.id}`)).body.state, 'confirmed');
  }
  assert.equal(deaths, 1, 'it was killed');
  for (const node of [acme, globex]) await assertOnePartner(node);
}

const isMet = ({ clock_skew_ms }: { readonly clock_skew_ms: number | null }): boolean => clock_skew_ms !== null;

async function assertOnePartner(node: NodeProcess): Promise<void> {
  assert.equal(peerFiles(node).length, 1, String(peerFiles(node)));
  const { body } = await node.get(ONBOARDING);
  const undecided = (body.onboarding as readonly OnboardingView[]).filter(({ state }) => state !== 'confirmed');
  // A code that was lost with the node that made it is open, and nobody has come with it.
  assert.deepEqual(
    undecided.filter(({ state, partner }) => state !== 'open' || partner !== null),
    [],
  );
}

const peerFiles = (node: NodeProcess): string[] =>
  readdirSync(join(node.dir, 'peers')).filter((name) => name.endsWith('.toml'));

function forgetPartner(node: NodeProcess): void {
  for (const name of peerFiles(node)) node.removePeer(name.replace('.toml', ''));
}
