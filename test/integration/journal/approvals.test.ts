/** Two persons: what is proposed, approved and ended, over a real journal with a clock that is given. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActBy, ActOutcome, DoneBy } from '../../../src/core/approval.ts';
import { isoMicros } from '../../../src/core/time.ts';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { Proposals } from '../../../src/journal/proposals.ts';
import { approvalMethods } from '../../../src/threads/approval-methods.ts';
import { LOG_KEY, NOW_MS, newJournal, openJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const HOUR_MS = 3_600_000;
const FOUR_EYES = { actions: ['peer.resume'], proposalMs: HOUR_MS, namedPersons: false };
const PEER = 'stigmem://acme.example';
const ANN = 'agent:ann#00000001';
const BOB = 'agent:bob#00000002';

test('one proposes, another approves: it is done once, and the audit log says by whom', (t) => {
  const folder = temporaryFolder(t);
  newJournal(folder).close();
  const journal = openJournal(folder, false, FOUR_EYES);
  const proposed = act(journal, { actor: ANN, reason: 'they sent a new head' });
  assert.ok(proposed.kind === 'proposed');
  const { id } = proposed.proposal;
  assert.deepEqual(done(journal), [], 'nothing is done yet');

  assert.deepEqual(codeOf(act(journal, { actor: ANN, approves: id })), 'same_actor');
  assert.deepEqual(codeOf(act(journal, { actor: 'agent:ann#00000009', approves: id })), 'same_actor');
  assert.deepEqual(codeOf(act(journal, { actor: BOB, approves: id, name: 'other' })), 'proposal_differs');
  assert.deepEqual(codeOf(act(journal, { actor: BOB, approves: id, reason: '' })), 'reason_invalid');
  assert.deepEqual(codeOf(act(journal, { actor: BOB, approves: id + 1 })), 'proposal_unknown');
  assert.deepEqual(codeOf(act(journal, { actor: BOB })), 'already_proposed');
  assert.deepEqual(done(journal), []);

  const approved = act(journal, { actor: BOB, approves: id, reason: 'compared' });
  assert.ok(approved.kind === 'done');
  assert.equal(approved.proposal?.state, 'approved');
  assert.equal(approved.proposal?.decision?.by, BOB);
  const record = new AuditReader(journal.db).record(approved.value);
  assert.equal(record?.actor, BOB);
  assert.deepEqual(record?.detail, { proposal: id, proposed_by: ANN, why: 'they sent a new head' });
  assert.deepEqual(
    codeOf(act(journal, { actor: BOB, approves: id })),
    'proposal_closed',
    'the second of two approvals',
  );
  assert.deepEqual(codeOf(act(journal, { actor: 'agent:eve#3', approves: id })), 'proposal_closed');
  assert.equal(done(journal).length, 1);
  journal.close();

  const reopened = openJournal(folder, false, FOUR_EYES);
  assert.equal(new Proposals(reopened.db).find(id, isoMicros(NOW_MS * 1000))?.state, 'approved');
  assert.deepEqual(codeOf(act(reopened, { actor: BOB, approves: id })), 'proposal_closed');
  reopened.close();
  assert.deepEqual(runFsck(folder, { logKey: LOG_KEY }).problems, []);
});

test('a proposal expires, is withdrawn by its proposer alone, or rejected by another', (t) => {
  const journal = openJournal(prepared(t), false, FOUR_EYES);
  const first = act(journal, { actor: ANN });
  assert.ok(first.kind === 'proposed');
  const late = NOW_MS + HOUR_MS;
  assert.equal(codeOf(act(journal, { actor: BOB, approves: first.proposal.id }, late)), 'proposal_expired');
  assert.deepEqual(done(journal), []);
  const second = act(journal, { actor: ANN }, late);
  assert.ok(second.kind === 'proposed', 'what has expired may be proposed again');

  const end = (end: 'rejected' | 'withdrawn', actor: string, reason = 'a mistake'): ActOutcome<null> =>
    journal.durably(() => journal.approvals.end(second.proposal.id, { end, actor, reason }, late * 1000));
  assert.equal(codeOf(end('withdrawn', BOB)), 'other_actor');
  assert.equal(codeOf(end('rejected', ANN)), 'same_actor');
  assert.equal(codeOf(end('withdrawn', ANN, '')), 'reason_invalid');
  const withdrawn = end('withdrawn', ANN);
  assert.ok(withdrawn.kind === 'done');
  assert.equal(withdrawn.proposal?.state, 'withdrawn');
  assert.equal(codeOf(end('rejected', BOB)), 'proposal_closed');
  assert.equal(codeOf(act(journal, { actor: BOB, approves: second.proposal.id }, late)), 'proposal_closed');

  const list = new Proposals(journal.db);
  const nowIso = isoMicros(late * 1000);
  const states = list.list({ state: 'all', before: null, limit: 10, nowIso }).proposals.map(({ state }) => state);
  assert.deepEqual(states, ['withdrawn', 'expired']);
  assert.deepEqual(list.list({ state: 'open', before: null, limit: 10, nowIso }).proposals, []);
  assert.equal(list.list({ state: 'all', before: null, limit: 1, nowIso }).before, second.proposal.id);
  journal.close();
});

test('a list that has looked through enough says where to go on: none is left out', (t) => {
  const journal = openJournal(prepared(t), false, FOUR_EYES);
  const ids = Array.from({ length: 7 }, (_, i) => {
    const proposed = act(journal, { actor: ANN, name: `peer${i}` });
    assert.ok(proposed.kind === 'proposed');
    return proposed.proposal.id;
  });
  const [oldest = 0, ...later] = ids;
  for (const id of later)
    journal.durably(() => journal.approvals.end(id, { end: 'rejected', actor: BOB, reason: 'not now' }, NOW_MS * 1000));

  const list = new Proposals(journal.db, 3);
  const pages = (state: 'open' | 'all', limit: number): number[][] => {
    const found: number[][] = [];
    for (let before: number | null = null; ; ) {
      const page = list.list({ state, before, limit, nowIso: isoMicros(NOW_MS * 1000) });
      found.push(page.proposals.map(({ id }) => id));
      if (page.before === null) return found;
      before = page.before;
    }
  };
  assert.deepEqual(pages('open', 10), [[], [], [oldest]]);
  assert.deepEqual(pages('all', 10).flat(), ids.toReversed());
  assert.deepEqual(pages('all', 2).flat(), ids.toReversed());
  journal.close();
});

const PERSON = 'person:Ann#https://idp.acme.example#1';
const OTHER = 'person:Ann#https://idp.acme.example#2';
const ELSEWHERE = 'agent:ann-old#00000004#https://idp.other.example#1';
const OWN_KEY = 'agent:ann-cli#00000003#https://idp.acme.example#1';

test('persons are told apart by their identity, however they come; a key that names nobody approves nothing of theirs', (t) => {
  const journal = openJournal(prepared(t), false, FOUR_EYES);
  const proposed = act(journal, { actor: PERSON });
  assert.ok(proposed.kind === 'proposed');
  const { id } = proposed.proposal;
  assert.equal(codeOf(act(journal, { actor: OWN_KEY, approves: id })), 'same_actor');
  assert.equal(codeOf(act(journal, { actor: BOB, approves: id })), 'actor_unnamed');
  assert.equal(codeOf(act(journal, { actor: ELSEWHERE, approves: id })), 'actor_unnamed', 'she may be there, too');
  const end = (end: 'rejected' | 'withdrawn', actor: string): ActOutcome<null> =>
    journal.durably(() => journal.approvals.end(id, { end, actor, reason: 'no' }, NOW_MS * 1000));
  assert.equal(codeOf(end('withdrawn', BOB)), 'other_actor');
  assert.equal(act(journal, { actor: OTHER, approves: id }).kind, 'done', 'the same name is not the same person');

  const second = act(journal, { actor: ANN });
  assert.ok(second.kind === 'proposed');
  assert.equal(
    codeOf(act(journal, { actor: PERSON, approves: second.proposal.id })),
    'actor_unnamed',
    'it may be her own key',
  );
  const rejected = journal.durably(() =>
    journal.approvals.end(second.proposal.id, { end: 'rejected', actor: PERSON, reason: 'no' }, NOW_MS * 1000),
  );
  assert.equal(rejected.kind, 'done', 'a no needs no second person');
  journal.close();
});

test('with review.named_persons only persons propose and approve, what was proposed before among it', (t) => {
  const folder = prepared(t);
  const before = openJournal(folder, false, FOUR_EYES);
  const old = act(before, { actor: ANN });
  assert.ok(old.kind === 'proposed');
  before.close();
  const journal = openJournal(folder, false, { ...FOUR_EYES, namedPersons: true });
  assert.equal(codeOf(act(journal, { actor: BOB, approves: old.proposal.id })), 'actor_unnamed');
  assert.equal(codeOf(act(journal, { actor: PERSON, approves: old.proposal.id })), 'actor_unnamed');
  assert.equal(codeOf(act(journal, { actor: BOB, name: 'other' })), 'actor_unnamed');
  const proposed = act(journal, { actor: OWN_KEY, name: 'other' });
  assert.ok(proposed.kind === 'proposed');
  assert.equal(act(journal, { actor: OTHER, approves: proposed.proposal.id, name: 'other' }).kind, 'done');
  journal.close();
});

test('what fails while it is done leaves the proposal open', (t) => {
  const journal = openJournal(prepared(t), false, FOUR_EYES);
  const proposed = act(journal, { actor: ANN });
  assert.ok(proposed.kind === 'proposed');
  const { id } = proposed.proposal;
  assert.throws(() =>
    act(journal, { actor: BOB, approves: id }, NOW_MS, () => {
      throw new Error('the disk is full');
    }),
  );
  assert.equal(new Proposals(journal.db).find(id, isoMicros(NOW_MS * 1000))?.state, 'open');
  assert.equal(act(journal, { actor: BOB, approves: id }).kind, 'done');
  journal.close();
});

test('a proposal to end a suspension ends that one: not another that has come since, for something worse', (t) => {
  const journal = openJournal(prepared(t), false, FOUR_EYES);
  t.after(() => journal.close());
  const audit = new AuditReader(journal.db);
  const methods = approvalMethods(journal, audit);
  const suspend = (reason: string): number => journal.audit({ event: 'peer_suspended', reason, peer: PEER }, NOW_MS);
  const resume = (actor: string, approves: number | null): ActOutcome<number> =>
    methods.resumePeer({ name: 'acme', nodeId: PEER }, { actor, reason: 'because', approves }, NOW_MS);

  const gap = suspend('feed_gap');
  const first = resume(ANN, null);
  assert.ok(first.kind === 'proposed');
  assert.deepEqual(first.proposal.params, { name: 'acme', suspended_for: 'feed_gap', suspension: gap });
  // A third node shows two heads of it, which it has signed.
  suspend('checkpoint_split_view');
  assert.equal(codeOf(resume(BOB, first.proposal.id)), 'proposal_differs');
  assert.equal(audit.suspension(PEER)?.reason, 'checkpoint_split_view');
  const second = resume(ANN, null);
  assert.ok(second.kind === 'proposed', 'what was looked at anew is proposed anew');
  assert.equal(codeOf(resume(BOB, second.proposal.id)), 'done');
  assert.equal(audit.suspension(PEER), null);
  assert.equal(codeOf(resume(BOB, first.proposal.id)), 'proposal_differs');
});

test('what is not listed is done at once, by one person', (t) => {
  const journal = openJournal(prepared(t));
  assert.equal(act(journal, { actor: ANN, reason: '' }).kind, 'done');
  assert.equal(done(journal).length, 1);
  journal.close();
});

function prepared(t: Parameters<typeof temporaryFolder>[0]): string {
  const folder = temporaryFolder(t);
  newJournal(folder).close();
  return folder;
}

type Asked = Partial<ActBy> & { readonly name?: string };

function act(
  journal: Journal,
  { actor = ANN, reason = 'because', approves = null, name = 'acme' }: Asked,
  nowMs = NOW_MS,
  fail: () => void = () => {},
): ActOutcome<number> {
  const request = { action: 'peer.resume', subject: PEER, params: { name } } as const;
  return journal.durably((record) =>
    journal.approvals.act(request, { actor, reason, approves }, nowMs * 1000, (by: DoneBy) => {
      fail();
      return record({ event: 'peer_resumed', peer: PEER, actor: by.actor, detail: by.detail }, nowMs);
    }),
  );
}

function done(journal: Journal): readonly number[] {
  const page = new AuditReader(journal.db).page({ event: 'peer_resumed', order: 'asc', limit: 10 });
  return page.records.map(({ seq }) => seq);
}

function codeOf(outcome: ActOutcome<unknown>): string {
  return outcome.kind === 'refused' ? outcome.code : outcome.kind;
}
