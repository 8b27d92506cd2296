import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeOutcome } from '../../../src/drill/outcome.ts';
import type { IngestOutcome } from '../../../src/pull/ingest.ts';

const EXPECTED = { event: 'federation_integrity_rejected', reason: 'cid_mismatch' };

function appended(more: object): IngestOutcome {
  const none = {
    feed: 'public',
    accepted: 0,
    refusals: 0,
    treeSize: 1,
    feedLength: 1,
    appended: null,
    to: 1,
    duplicates: 0,
  };
  return { kind: 'appended', ...none, refused: [], counted: [], summaries: [], ...more } as IngestOutcome;
}

test('the reason and the event have to be those of the kind, of everything that was refused', () => {
  const right = { ...EXPECTED, auditSeq: 7 };
  const seen = { ...EXPECTED, audit_seq: 7 };
  assert.deepEqual(judgeOutcome(appended({ refused: [right, right] }), EXPECTED), { seen, fault: null });
  for (const other of [
    { ...right, reason: 'cid_missing', auditSeq: 8 },
    { ...right, event: 'scope_violation', auditSeq: 8 },
  ]) {
    const judged = judgeOutcome(appended({ refused: [right, other] }), EXPECTED);
    assert.equal(judged?.fault?.code, 'other_reason');
    assert.equal(judged.seen?.audit_seq, 8);
  }
});

test('a page that is refused for something else is no verdict on the lie', () => {
  const page = { kind: 'refused', reason: 'page_malformed', penalty: 'backoff', auditSeq: 3, heads: null } as const;
  assert.equal(judgeOutcome(page, EXPECTED)?.fault?.code, 'other_reason');
  assert.equal(judgeOutcome(page, { ...EXPECTED, reason: 'page_malformed' })?.fault, null);
});

test('what passes the rules fails the drill', () => {
  assert.equal(judgeOutcome({ kind: 'withheld', accepted: 3 }, EXPECTED)?.fault?.code, 'accepted');
  assert.equal(
    judgeOutcome(appended({ accepted: 1, refused: [{ ...EXPECTED, auditSeq: 1 }] }), EXPECTED)?.fault?.code,
    'accepted',
  );
});

test('the honest first page says nothing of the lie', () => {
  assert.equal(judgeOutcome(appended({}), EXPECTED), null);
  assert.equal(judgeOutcome({ kind: 'suspended' }, EXPECTED), null);
});
