/** Keys change while nodes are paired: peers follow by the statements, and what the old keys signed stays verifiable. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, mock, test } from 'node:test';
import type { SeedUse } from '../../src/config/secret-file.ts';
import type { PeerStatus } from '../../src/core/peer-status.ts';
import { openCheckpoint } from '../../src/merkle/checkpoint.ts';
import { parseVerifierKey } from '../../src/merkle/verifier-key.ts';
import { runFsck } from '../../src/node/fsck.ts';
import { rotateKey } from '../../src/node/rotate-key.ts';
import type { OpenedSuccession } from '../../src/wire/succession.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';

const WEEK_MS = 7 * 86_400_000;
/** Long enough for one contact, however busy the machine is: the clock is put ahead then. */
const ANNOUNCED_MS = 120_000;
/** Behind its end. */
const SINCE_MS = 1_000;
let acme: MeshNode;
let globex: MeshNode;

before(async () => {
  acme = await MeshNode.create('acme.example').then((made) => made.start());
  globex = await MeshNode.create('globex.example').then((made) => made.start());
  acme.writePeer('globex', globex.asPeer({ share: ['public'] }, false));
  globex.writePeer('acme', acme.asPeer({ accept: ['public'] }));
  await acme.assertFact('first');
  await until('globex has the first fact', async () => (await taken()) === 1);
});

after(async () => {
  await Promise.all([acme.stop(), globex.stop()]);
});

test('a new log key: the peer follows at the next contact, without an operator, and both keys sign in the overlap', async () => {
  const old = acme.base.keys.log.vkey;
  const statement = await rotate('log');
  assert.equal(statement.old, old);
  assert.equal(acme.base.keys.log.vkey, statement.new);
  const { checkpoint } = await acme.base.writer.head();
  for (const vkey of [old, statement.new]) assert.ok(opensWith(checkpoint, vkey), `${vkey} has signed`);

  await acme.assertFact('second');
  // The second fact, and the one that holds the statement.
  await until('globex has all', async () => (await taken()) === 3);
  const [record] = await globex.audit('peer_key_succession');
  assert.equal(record?.peer, acme.nodeId);
  assert.equal(record?.detail['new'], statement.new);
  assert.deepEqual((await shown()).key_changes, []);
  assert.equal((await globex.audit('peer_declaration_refused')).length, 0);
  const [own] = await acme.audit('key_succession');
  assert.equal(own?.detail['new'], statement.new);
});

test('behind a new connection may be another program: whoever connects is greeted before its pages are judged', async () => {
  const skew = (): number | null | undefined => globex.federation.sessions.list()[0]?.clock_skew_ms;
  await until('acme is greeted', async () => skew() !== null);
  globex.federation.sessions.contact(acme.base.peerId);
  assert.equal(skew(), null, 'what was said before counts no more');
  await until('acme is greeted again', async () => skew() !== null);
});

test('new anchor and witness keys are followed too; without an overlap nothing is kept of the old one', async () => {
  const anchor = await rotate('anchor');
  const witness = await rotate('witness', 0);
  assert.equal(acme.base.keys.anchor.vkey, anchor.new);
  assert.deepEqual(
    readdirSync(join(acme.folder.dir, 'keys', 'former')).filter((name) => name.startsWith('witness')),
    [],
  );
  await acme.assertFact('third');
  await until('globex has all', async () => (await taken()) === 6);
  const uses = (await globex.audit('peer_key_succession')).map(({ detail }) => detail['use']);
  assert.deepEqual(new Set(uses), new Set(['log', 'anchor', 'witness']));
  assert.deepEqual(await globex.audit('federation_integrity_rejected'), []);
  assert.notEqual(witness.old, witness.new);
});

test('who meets the peer behind a change keeps how its keys came, and can show it to others', async (t) => {
  const initech = await MeshNode.create('initech.example').then((made) => made.start());
  t.after(() => initech.stop());
  const { log } = acme.base.keys;
  initech.writePeer('acme', { ...acme.asPeer({ accept: ['public'] }), logKey: log.vkey });
  acme.writePeer('initech', initech.asPeer({ share: [] }, false));
  const kept = async () => (await initech.base.writer.successions([acme.nodeId]))[0] ?? [];
  await until('it is met', async () => (await initech.audit('peer_verified')).length === 1);
  assert.deepEqual(
    (await kept()).map((one) => one.new).filter((vkey) => vkey === log.vkey),
    [log.vkey],
  );
});

test('a new node key is announced, then the peer is known by it, and the old one is a stranger', async () => {
  const before = acme.base.peerId;
  const statement = await rotate('node', ANNOUNCED_MS);
  assert.equal(acme.base.peerId, before, 'it has not taken over yet');
  await until('globex was told', async () => (await news('node')).length === 1);

  const { now } = Date;
  mock.method(Date, 'now', () => now.call(Date) + ANNOUNCED_MS + SINCE_MS);
  assert.ok(Date.now() > Date.parse(statement.effective_at), 'its time has come');
  await restart();
  assert.notEqual(acme.base.peerId, before);
  assert.equal(acme.folder.peerId, before, 'the peer file of globex names the old key still');
  await acme.assertFact('fourth');
  await until('globex has all', async () => (await taken()) === 8);
  assert.equal((await shown()).peer_id, acme.base.peerId);

  await globex.restart();
  await present();
  await acme.assertFact('fifth');
  await until('globex knows the key after its own restart too', async () => (await taken()) === 9);
  assert.deepEqual(await globex.audit('peer_declaration_refused'), []);
});

test('what was signed before is as good as ever: fsck of both is clean', async () => {
  await Promise.all([acme.halt(), globex.halt()]);
  for (const node of [acme, globex]) assert.deepEqual((await runFsck(node.folder.dir, {})).problems, []);
  assert.ok(!existsSync(join(acme.folder.dir, 'keys', 'log.next.key')));
});

async function rotate(use: SeedUse, overlapMs = WEEK_MS): Promise<OpenedSuccession> {
  await acme.halt();
  const outcome = await rotateKey(acme.folder.dir, use, { overlapMs, actor: 'test' });
  assert.notEqual(outcome.kind, 'pending');
  await acme.start();
  await present();
  return outcome.statement;
}

async function restart(): Promise<void> {
  await acme.restart();
  await present();
}

/** A node that was started again listens on another port. */
async function present(): Promise<void> {
  acme.writePeer('globex', globex.asPeer({ share: ['public'] }, false));
  const { addresses, ...peer } = acme.asPeer({ accept: ['public'] });
  globex.writePeer('acme', { ...peer, addresses: addresses.map((one) => one.replace(/\/p2p\/.*$/, '')) });
}

async function news(use: SeedUse): Promise<readonly unknown[]> {
  return (await globex.audit('peer_key_succession')).filter(({ detail }) => detail['use'] === use);
}

function opensWith(checkpoint: string, vkey: string): boolean {
  const key = parseVerifierKey(vkey);
  return key.ok && openCheckpoint(checkpoint, { origin: key.value.name, key: key.value.publicKey }).ok;
}

async function taken(): Promise<number> {
  return (await globex.base.writer.stats()).entries;
}

async function shown(): Promise<PeerStatus> {
  return JSON.parse((await globex.get('/v1/federation/peers/acme')).text);
}
