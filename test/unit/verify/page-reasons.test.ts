import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PageReason } from '../../../src/core/verdict.ts';
import { openPage } from '../../../src/verify/page.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { judged } from '../../support/judging.ts';
import { PAGE_CASES } from './reason-cases.ts';

for (const reason of Object.keys(PAGE_CASES) as PageReason[]) {
  for (const [name, lie] of Object.entries(PAGE_CASES[reason])) {
    test(`${reason}: ${name}`, () => {
      const page = openPage(lie.frames, lie.context);
      assert.ok(!page.ok && page.error.kind === 'refused', 'the page was taken');
      const { error } = page;
      assert.deepEqual([error.kind, error.event, error.reason], ['refused', 'federation_integrity_rejected', reason]);
      assert.equal(error.difference?.field, lie.field);
      assert.equal(error.evidence.class, lie.class);

      const evidence = JSON.parse(error.evidence.text());
      assert.deepEqual(
        [evidence.v, evidence.class, evidence.reason, evidence.event],
        [1, lie.class, reason, error.event],
      );
      assert.equal(evidence.first_difference, lie.field);
      assert.equal(evidence.peer.node_id, lie.context.peer.nodeId);
      for (const frame of ['header', 'entries', 'proof'] as const) {
        const sent = lie.frames[frame];
        assert.equal(evidence.received[frame], sent === null ? null : Buffer.from(sent).toString('base64'));
      }
      assert.equal(evidence.known?.note ?? null, lie.context.known?.note ?? null);
    });
  }
}

const peer = new HonestPeer();
for (let i = 0; i < 30; i++) peer.append({ scope: i % 3 === 0 ? 'company' : 'public' });

test('honest pages in sequence: grown log, same log, later pages of one answer', () => {
  const early = judged(peer.page({ feed: 'public', after: 0, count: 3, size: 7 }), peer.context());
  assert.deepEqual([early.to, early.checkpoint.size, early.feedHead.length, early.accepted.length], [3, 7, 4, 3]);

  const grown = judged(
    peer.page({ feed: 'public', after: 3, count: 5, knownSize: 7, encoding: 'zstd' }),
    peer.context({
      after: 3,
      known: early.checkpoint,
      knownFeedLength: early.feedHead.length,
      neighbour: early.lastLink,
    }),
  );
  assert.deepEqual([grown.to, grown.checkpoint.size, grown.feedHead.length], [8, 30, 20]);

  const later = judged(
    peer.page({ feed: 'public', after: 8, knownSize: null }),
    peer.context({ after: 8, known: grown.checkpoint, knownFeedLength: 20, firstPage: false }),
  );
  assert.deepEqual([later.to, later.accepted.length], [20, 12]);

  const nothingNew = judged(
    peer.page({ feed: 'public', after: 20, knownSize: 30 }),
    peer.context({ after: 20, known: later.checkpoint, knownFeedLength: 20 }),
  );
  assert.deepEqual([nothingNew.after, nothingNew.to, nothingNew.accepted.length], [20, 20, 0]);
  assert.equal(nothingNew.page.entries, null);
});

test('an empty log and an empty feed are honest answers', () => {
  const empty = new HonestPeer();
  assert.equal(judged(empty.page({ feed: 'public', after: 0 }), empty.context()).to, 0);
  assert.equal(judged(peer.page({ feed: 'team', after: 0 }), peer.context({ feed: 'team' })).to, 0);
});
