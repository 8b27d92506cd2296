/** Which declarations of a peer are taken, by the names in them and by what was pinned before. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { PeerFile } from '../../../src/config/peer-file.ts';
import { EPOCH_MS } from '../../../src/drill/peer-log.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { pinPeer } from '../../../src/pull/declare.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { type Declaration, openDeclaration, signDeclaration } from '../../../src/wire/declaration.ts';
import type { OpenedSuccession } from '../../../src/wire/succession.ts';
import { HonestPeer } from '../../support/honest-peer.ts';

const SEED = createHash('sha256').update('node key of acme').digest();

interface Stage {
  readonly file: PeerFile;
  readonly declare: (log: HonestPeer, change?: Partial<Declaration>) => string;
}

async function stage(): Promise<Stage> {
  const { peerId } = await identityFromSeed(SEED);
  const { nodeId, authority } = new HonestPeer();
  const signer: LogSigner = createLogSigner(nodeId, SEED);
  const file: PeerFile = {
    name: 'acme',
    nodeId,
    authority,
    peerId,
    addresses: [],
    addressesFrom: 'operator',
    relay: false,
    namespaces: [authority],
    share: [],
    accept: [],
    logKey: null,
    disabled: false,
    allowTeam: false,
    limits: { maxValueBytes: null, pageEntries: null },
    policy: { witnesses: null, anchors: null },
  };
  return {
    file,
    declare: (log, change = {}) => {
      const opened = openDeclaration(log.declaration(signer, peerId), { nodeId, nodeKey: signer.publicKey });
      assert.ok(opened.ok);
      return signDeclaration({ ...opened.value, ...change }, signer);
    },
  };
}

const history = (pinned: string | null) => ({ pinned, statements: [], nowMs: EPOCH_MS });

test('names that are not the peer’s own: refused, whatever has signed them', async () => {
  const { file, declare } = await stage();
  const log = new HonestPeer();
  const { peerId } = await identityFromSeed(createHash('sha256').update('somebody').digest());
  const changes: readonly Partial<Declaration>[] = [
    { peer_id: peerId },
    { journal_origin: 'acme.example.evil.example/journal/00000000000000aa' },
    { journal_origin: 'globex.example/journal/00000000000000aa' },
    { audit_origin: 'globex.example/audit/00000000000000aa' },
    { audit_origin: 'acme.example' },
    // fsck would not know the log as the peer's, and name each page of it.
    { journal_origin: 'acme.example/log/00000000000000aa' },
    { audit_origin: 'acme.example/log/00000000000000aa' },
  ];
  for (const change of changes) {
    const judged = pinPeer(declare(log, change), file, history(null));
    assert.equal(judged.ok ? 'ok' : judged.error.code, 'declaration_invalid', JSON.stringify(change));
  }
  assert.ok(pinPeer(declare(log), { ...file, logKey: log.logVkey }, history(null)).ok);
});

test('a pinned declaration that cannot be read lets no other key in: an operator has to name it', async () => {
  const { file, declare } = await stage();
  const { peerId } = await identityFromSeed(createHash('sha256').update('somebody').digest());
  const pinned = declare(new HonestPeer(), { peer_id: peerId });
  const judged = pinPeer(declare(new HonestPeer({ logKey: 'another key' })), file, history(pinned));
  assert.ok(!judged.ok && judged.error.code === 'key_changed');
  assert.deepEqual(
    judged.error.change?.keys.map(({ use, pinned: before }) => [use, before]),
    [
      ['log', 'none that can be read'],
      ['anchor', 'none that can be read'],
    ],
  );
});

test('a successor that begins later by our clock is awaited: nobody has to confirm it', async () => {
  const { file, declare } = await stage();
  const [before, after] = [new HonestPeer(), new HonestPeer({ logKey: 'another key' })];
  const statement: OpenedSuccession = {
    v: 1,
    use: 'log',
    old: before.logVkey,
    new: after.logVkey,
    effective_at: new Date(EPOCH_MS + 3_600_000).toISOString(),
    overlap_until: new Date(EPOCH_MS + 7_200_000).toISOString(),
    nodeId: file.nodeId,
    note: 'opened before',
  };
  const at = (nowMs: number, peer = file) =>
    pinPeer(declare(after), peer, { pinned: declare(before), statements: [statement], nowMs });
  const codeOf = (judged: ReturnType<typeof at>): string => (judged.ok ? 'ok' : judged.error.code);

  assert.equal(codeOf(at(EPOCH_MS)), 'key_succession_ahead');
  assert.equal(codeOf(at(EPOCH_MS, { ...file, logKey: before.logVkey })), 'key_succession_ahead');
  assert.equal(codeOf(at(EPOCH_MS + 3_600_000)), 'ok');
  // A key that nothing explains is another matter.
  const foreign = pinPeer(declare(new HonestPeer({ logKey: 'a third key' })), file, {
    pinned: declare(before),
    statements: [statement],
    nowMs: EPOCH_MS,
  });
  assert.equal(codeOf(foreign), 'key_changed');
});
