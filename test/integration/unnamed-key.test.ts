/** Peer files without `log_key`: nothing flows in either direction until an operator at each side has named the other's key. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ConfigFlags } from '../../src/config/overlay.ts';
import type { PeerStatus } from '../../src/core/peer-status.ts';
import { runFsck } from '../../src/node/fsck.ts';
import { logVkeyIn } from '../support/log-vkey.ts';
import { MeshNode } from '../support/mesh-node.ts';
import type { PeerLine } from '../support/node-process.ts';
import { until } from '../support/until.ts';

const SOON: ConfigFlags = { 'federation.poll_interval_s': '1' };

async function started(t: TestContext, authority: string): Promise<MeshNode> {
  const node = await MeshNode.create(authority).then((made) => made.start(SOON));
  t.after(() => node.stop());
  return node;
}

/** As somebody writes it who copies what the partner has mailed. */
function unnamed(node: MeshNode, grants: Pick<PeerLine, 'share' | 'accept'>, isDialled = true): PeerLine {
  const { logKey: _, ...line } = node.asPeer(grants, isDialled);
  return line;
}

async function trust(node: MeshNode, name: string, keys: readonly string[]): Promise<number> {
  const headers = { authorization: `Bearer ${node.folder.keys.admin}`, 'content-type': 'application/json' };
  const url = `http://127.0.0.1/v1/federation/peers/${name}/trust-key`;
  return (await node.fetch(new Request(url, { method: 'POST', headers, body: JSON.stringify({ keys }) }))).status;
}

async function status(node: MeshNode, name: string): Promise<PeerStatus> {
  return JSON.parse((await node.get(`/v1/federation/peers/${name}`)).text);
}

async function given(node: MeshNode, peer: MeshNode): Promise<number> {
  return (await node.base.reader.givenFeeds(peer.nodeId)).length;
}

const taken = async (node: MeshNode): Promise<number> => (await node.base.writer.stats()).entries;

/** `giver` shares with `taker`, which takes; neither file names a key. */
async function pair(t: TestContext): Promise<{ giver: MeshNode; taker: MeshNode }> {
  const giver = await started(t, 'acme.example');
  const taker = await started(t, 'globex.example');
  await giver.assertFacts(['one', 'two', 'three']);
  giver.writePeer('globex', unnamed(taker, { share: ['public'] }, false));
  taker.writePeer('acme', unnamed(giver, { accept: ['public'] }));
  await until('each has learned the key of the other', async () => {
    const seen = await Promise.all([status(giver, 'globex'), status(taker, 'acme')]);
    return seen.every((peer) => (peer.key_changes ?? []).length === 1);
  });
  return { giver, taker };
}

test('nothing is taken or given before both keys are confirmed, and each side says what it waits for', async (t) => {
  const { giver, taker } = await pair(t);
  for (const [node, name, peer] of [
    [giver, 'globex', taker],
    [taker, 'acme', giver],
  ] as const) {
    const declared = logVkeyIn(peer.folder.dir);
    const shown = await status(node, name);
    assert.equal(shown.state, 'pending');
    assert.deepEqual(shown.key_changes, [{ use: 'log', pinned: 'none yet', declared }]);
    assert.ok(
      shown.waiting_on?.includes(`stigmem-peerd peer trust-key ${name} --key ${declared}`),
      `${shown.waiting_on}`,
    );
    assert.equal(shown.pinned_log_key, null);
    assert.deepEqual(shown.share, [], 'it may read nothing now');
    const [record, ...more] = await node.audit('peer_log_key_waits');
    const { trace_id, ...detail } = record?.detail ?? {};
    assert.match(String(trace_id), /^[0-9a-f]{32}$/);
    assert.deepEqual(detail, { log_key: declared, name, peer_id: peer.folder.peerId });
    assert.deepEqual(more, []);
    assert.equal((await node.audit('peer_circuit_opened')).length, 0, 'waiting for an operator is no failure');
    assert.match((await node.get('/metrics')).text, /stigmem_peerd_peers_unconfirmed 1\n/);
  }
  assert.equal(await taken(taker), 0);
  assert.equal(await given(giver, taker), 0);
  assert.deepEqual(await giver.base.writer.declarations([taker.nodeId]), [null]);

  const [toTaker, toGiver] = [logVkeyIn(taker.folder.dir), logVkeyIn(giver.folder.dir)];
  assert.equal(await trust(taker, 'acme', [toTaker]), 409, 'the key of somebody else');
  assert.equal(await trust(taker, 'acme', [toGiver]), 200);
  await until('the taker asks', async () => (await status(taker, 'acme')).state === 'current');
  assert.equal(await given(giver, taker), 0, 'one of two has said yes');

  assert.equal(await trust(giver, 'globex', [toTaker]), 200);
  await until('all is there', async () => (await taken(taker)) === 3);
  assert.match((await giver.get('/metrics')).text, /stigmem_peerd_peers_unconfirmed 0\n/);
  // What was confirmed stays so, whatever the file says.
  await giver.restart(SOON);
  await giver.assertFacts(['four']);
  taker.writePeer('acme', unnamed(giver, { accept: ['public'] }));
  await until('the next one, too', async () => (await taken(taker)) === 4);
  assert.equal((await giver.audit('peer_log_key_waits')).length, 1);
  for (const node of [giver, taker]) {
    await node.halt();
    assert.deepEqual((await runFsck(node.folder.dir, {})).problems, []);
  }
});

test('a key in the file does as well; its receipts are taken, and a restart says nothing twice', async (t) => {
  const { giver, taker } = await pair(t);
  await taker.restart(SOON);
  await until('it has met it again', async () => (await status(taker, 'acme')).key_changes?.length === 1);
  assert.equal((await taker.audit('peer_log_key_waits')).length, 1);
  giver.writePeer('globex', taker.asPeer({ share: ['public'] }, false));
  assert.equal(await trust(taker, 'acme', [logVkeyIn(giver.folder.dir)]), 200);
  await until('all is there', async () => (await taken(taker)) === 3);
  await until('and acknowledged', async () => (await status(giver, 'globex')).acknowledged[0]?.to === 3);
});

test('a file that names another key than the one declared takes nothing', async (t) => {
  const { giver, taker } = await pair(t);
  taker.writePeer('acme', { ...giver.asPeer({ accept: ['public'] }), logKey: logVkeyIn(taker.folder.dir) });
  await until('it is refused', async () => (await taker.audit('peer_declaration_refused')).length > 0);
  assert.equal((await taker.audit('peer_declaration_refused'))[0]?.reason, 'log_key_mismatch');
  assert.equal(await taken(taker), 0);
});
