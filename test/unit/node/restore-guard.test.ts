/** The restore guard and peers that do not help: one that answers without end, one that holds nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { PeerFile } from '../../../src/config/peer-file.ts';
import type { GuardView } from '../../../src/journal/guard.ts';
import { type GuardDeps, type GuardJournal, RestoreGuard } from '../../../src/node/guard.ts';
import { OutsideHeads } from '../../../src/node/outside-heads.ts';
import { createHttpClient } from '../../../src/outbound/http-client.ts';
import { TransportError } from '../../../src/transport/errors.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { encodePullEnd } from '../../../src/wire/pull-end.ts';
import { decodeRecoverRequest, encodeHeadAnswer } from '../../../src/wire/recover.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { until } from '../../support/until.ts';

const MISSING = 3;
const PAGE = new HonestPeer().page({ feed: 'public', after: 0 });
const peer = (name: string): PeerFile =>
  ({
    name,
    nodeId: `stigmem://${name}.example`,
    peerId: name,
    addresses: ['/ip4/127.0.0.1/tcp/1'],
  }) as unknown as PeerFile;

interface Behaviour {
  /** The checkpoint of ours that it shows. */
  readonly head: string | null;
  /** Whether it sends one page after the other. */
  readonly isEndless: boolean;
}

/** A journal that lacks entries, and counts what is done with it. */
function journalOf(view: Partial<GuardView>, held: () => number | null) {
  const done = { cleared: 0, offered: 0 };
  const whole: GuardView = {
    size: 0,
    signedSize: 0,
    auditSize: 0,
    signedAuditSize: 0,
    headsMissing: false,
    held: 'it has just started',
    forked: false,
    feeds: [],
    ...view,
  };
  const journal: GuardJournal = {
    guardView: async () => whole,
    compareOwnHead: async (note) => (note === 'ours' ? { kind: 'known' } : { kind: 'foreign' }),
    offerOwnPage: async () => {
      done.offered++;
      return held();
    },
    feedCursors: async () => [],
    offerNote: async () => 'needless',
    offerSentPage: async () => null,
    restoreTail: async () => ({ kind: 'refused', code: 'tail_incomplete', missing: [], missingCount: MISSING }),
    holdGuard: async () => {},
    clearGuard: async () => {
      done.cleared++;
    },
    audit: async () => 1,
  };
  return { journal, done };
}

/** Asks nobody. */
function outsideOf(): OutsideHeads {
  return new OutsideHeads({
    http: createHttpClient([]),
    journal: { signedNote: async () => null, guardView: async () => ({ size: 0, signedSize: 0 }) },
    origin: 'acme.example/journal/00000000000000aa',
    witnesses: [],
    shippedHead: async () => null,
    anchorFile: null,
    logger: { warn: () => {} },
  });
}

/** Neither witnesses nor anchors, and all keys are there. */
const NOBODY_ELSE = {
  outside: outsideOf(),
  lostKeys: {
    learn: async () => {},
    missing: () => null,
    watch: () => {},
    back: new Promise<void>(() => {}),
    stop: () => {},
  },
  unread: () => 0,
  waitMs: 5_000,
  onChange: () => {},
};

function guardOf(
  journal: GuardJournal,
  peers: Readonly<Record<string, Behaviour>>,
  others: Partial<GuardDeps> = {},
): RestoreGuard {
  const transport: Pick<Transport, 'request' | 'connected'> = {
    connected: () => true,
    request: (peerId, _protocol, body) => answers(peers[peerId], body),
  };
  const names = Object.keys(peers).map(peer);
  return new RestoreGuard({ ...NOBODY_ELSE, ...others, journal, transport, peers: () => names });
}

async function* answers(behaviour: Behaviour | undefined, body: Uint8Array): AsyncGenerator<Uint8Array> {
  const request = decodeRecoverRequest(body);
  if (behaviour === undefined || !request.ok) return;
  if (request.value.kind === 'head') yield encodeHeadAnswer(behaviour.head);
  else {
    if (behaviour.isEndless) yield* [PAGE.header, PAGE.note ?? Buffer.alloc(0)];
    yield encodePullEnd({ end: true, has_more: behaviour.isEndless });
  }
}

test('a peer whose pages prove nothing is asked for one', async () => {
  const { journal, done } = journalOf({ signedSize: MISSING }, () => null);
  const guard = guardOf(journal, { liar: { head: 'ours', isEndless: true } });
  await guard.start();
  assert.equal(done.offered, 1);
  assert.equal(guard.status().state, 'behind');
});

test('a peer that repeats a true page is left when it has sent more than there can be', async () => {
  const { journal, done } = journalOf({ signedSize: MISSING }, () => 1);
  const guard = guardOf(journal, { liar: { head: 'ours', isEndless: true } });
  await guard.start();
  assert.ok(done.offered > MISSING && done.offered < 1_000, `${done.offered} pages`);
});

test('when all is there, nobody is asked on', async () => {
  const { journal, done } = journalOf({ signedSize: MISSING }, () => MISSING);
  await guardOf(journal, { liar: { head: 'ours', isEndless: true } }).start();
  assert.equal(done.offered, 1);
});

test('without the file of signed checkpoints, peers that hold nothing of ours count once all have answered', async () => {
  const silent: Behaviour = { head: null, isEndless: false };
  const one = journalOf({ headsMissing: true }, () => null);
  await guardOf(one.journal, { a: silent, b: silent }).start();
  assert.equal(one.done.cleared, 1, 'nobody has anything that could be contradicted');

  const foreign = journalOf({ headsMissing: true }, () => null);
  const guard = guardOf(foreign.journal, { a: { head: 'not ours', isEndless: false }, b: silent });
  await guard.start();
  assert.equal(foreign.done.cleared, 1);
});

test('a peer file that cannot be read is a partner that has not answered, until it is put right or gone', async () => {
  const { journal, done } = journalOf({ headsMissing: true }, () => null);
  let unread = 1;
  const guard = guardOf(journal, { a: { head: null, isEndless: false } }, { unread: () => unread });
  await guard.start();
  assert.equal(done.cleared, 0);
  assert.match(guard.status().detail ?? '', /1 peer file cannot be read.*correct or remove it/);
  guard.filesChanged();
  await setImmediate();
  assert.deepEqual([done.cleared, guard.status().state], [0, 'asking']);
  unread = 0;
  guard.filesChanged();
  await setImmediate();
  assert.deepEqual([done.cleared, guard.status().state], [1, 'clear']);
  await guard.stop();
});

test('a peer that is there and fails to answer at first is asked on before the node signs; one that is away is not', async () => {
  const hungUp = new TransportError('refused', 'it closed the connection before the first stream');
  const nobody = new TransportError('dial_failed', 'connection refused');
  for (const [isThere, failure, asked, isAnswered] of [
    [true, new Error('reset'), 3, 1],
    [false, hungUp, 3, 1],
    [false, nobody, 1, 0],
  ] as const) {
    const { journal, done } = journalOf({}, () => null);
    let requests = 0;
    const transport: Pick<Transport, 'request' | 'connected'> = {
      connected: () => isThere,
      request: async function* (_peerId, _protocol, body) {
        if (++requests < 3) throw failure;
        yield* answers({ head: 'ours', isEndless: false }, body);
      },
    };
    const guard = new RestoreGuard({ ...NOBODY_ELSE, journal, transport, peers: () => [peer('near')] });
    await guard.start();
    assert.deepEqual([requests >= asked, guard.status().peersAnswered, done.cleared], [true, isAnswered, 1]);
    await guard.stop();
  }
});

test('without the file, an empty answer of one peer of two is not enough; a checkpoint of ours is', async () => {
  const silent: Behaviour = { head: null, isEndless: false };
  for (const [head, cleared] of [
    [null, 0],
    ['ours', 1],
  ] as const) {
    const { journal, done } = journalOf({ headsMissing: true }, () => null);
    const transport: Pick<Transport, 'request' | 'connected'> = {
      connected: (peerId) => peerId !== 'away',
      request: async function* (peerId, _protocol, body) {
        if (peerId === 'away') throw new Error('nobody there');
        yield* answers({ ...silent, head }, body);
      },
    };
    const peers = [peer('near'), peer('away')];
    const guard = new RestoreGuard({ ...NOBODY_ELSE, journal, transport, peers: () => peers });
    await guard.start();
    assert.equal(done.cleared, cleared, `shown ${head}`);
  }
});

test('what a witness only says is given the whole wait to be proved, and then stops nothing', async () => {
  const waitMs = 300;
  const outside = outsideOf();
  outside.claim('tower.example/w', 'tower', 30);
  const { journal, done } = journalOf({}, () => null);
  const guard = guardOf(journal, {}, { outside, waitMs });
  const beforeMs = performance.now();
  await guard.start();
  assert.ok(performance.now() - beforeMs >= waitMs - 1);
  assert.equal(done.cleared, 1);
  const { state, disputed, detail } = guard.status();
  assert.deepEqual([state, disputed], ['clear', true]);
  assert.match(detail ?? '', /^tower says that it has cosigned 30 entries/);

  guard.witnessStands({ name: 'tower.example/w', label: 'tower' }, null);
  assert.equal(guard.status().disputed, false, 'it has cosigned what is here');
});

test('a checkpoint of ours that proves what a witness says ends the wait', async () => {
  const outside = outsideOf();
  outside.claim('tower.example/w', 'tower', 30);
  const { journal } = journalOf({ signedSize: 30 }, () => null);
  const shown: GuardJournal = { ...journal, compareOwnHead: async () => ({ kind: 'ahead', size: 30 }) };
  const guard = guardOf(shown, { a: { head: 'ours', isEndless: false } }, { outside, waitMs: 3_600_000 });
  await guard.start();
  assert.deepEqual([guard.status().state, guard.status().disputed], ['behind', false]);
});

test('while a key is missing nothing is given back or cleared, whatever peers show', async () => {
  const { journal, done } = journalOf({ signedSize: MISSING }, () => MISSING);
  let watched = 0;
  const lostKeys = {
    ...NOBODY_ELSE.lostKeys,
    missing: () => 'keys/log.key has to hold the log key 01020304',
    watch: () => {
      watched++;
    },
  };
  const guard = guardOf(journal, { a: { head: 'ours', isEndless: true } }, { lostKeys });
  await guard.start();
  assert.deepEqual([done.cleared, done.offered, watched], [0, 0, 1]);
  assert.equal(guard.status().state, 'behind');
  assert.match(guard.status().detail ?? '', /log key 01020304.*3 entries are missing too/);
});

test('peers that connect and change nothing are no news', async () => {
  const { journal, done } = journalOf({}, () => null);
  let isThere = false;
  const transport: Pick<Transport, 'request' | 'connected'> = {
    connected: () => isThere,
    request: async function* (_peerId, _protocol, body) {
      if (!isThere) throw new TransportError('dial_failed', 'connection refused');
      yield* answers({ head: 'ours', isEndless: false }, body);
    },
  };
  const peers = ['a', 'b', 'c'].map(peer);
  const told: [string, string | null][] = [];
  const onChange: GuardDeps['onChange'] = ({ state, detail }) => void told.push([state, detail]);
  const guard = new RestoreGuard({ ...NOBODY_ELSE, journal, transport, peers: () => peers, onChange });
  await guard.start();
  const unconfirmed = guard.status().detail;
  assert.match(unconfirmed ?? '', /^no peer and no witness could be asked/);

  for (const { peerId } of peers) guard.contact(peerId);
  await until('each was judged', async () => done.cleared === 1 + peers.length);
  assert.deepEqual(told, [['clear', unconfirmed]]);

  isThere = true;
  for (const { peerId } of peers) guard.contact(peerId);
  await until('each was judged', async () => done.cleared === 1 + 2 * peers.length);
  assert.deepEqual(told.slice(1), [['clear', null]]);
  await guard.stop();
});
