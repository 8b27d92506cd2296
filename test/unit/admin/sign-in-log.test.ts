import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordPace } from '../../../src/admin/console/record-pace.ts';
import { ACTOR_BUDGET, SignInLog } from '../../../src/admin/console/sign-in-log.ts';
import { personParty } from '../../../src/admin/party.ts';
import type { AuditInput } from '../../../src/journal/read-model.ts';

const partyOf = (subject: string): ReturnType<typeof personParty> =>
  personParty({
    person: { issuer: 'https://idp.acme.example', subject },
    name: 'Ann',
    roles: 'reader',
    permissions: ['read'],
  });

test('whoever signs in and out again and again is recorded at a pace of their own, and what is left out is counted', async () => {
  const records: AuditInput[] = [];
  let nowMs = Date.parse('2026-11-30T12:00:00Z');
  const log = new SignInLog({
    audit: async (input) => records.push(input),
    events: { requestFailed: (route, error) => assert.fail(`${route}: ${String(error)}`) },
    nowMs: () => nowMs,
  });
  const inAndOut = async (subject: string): Promise<void> => {
    const party = partyOf(subject);
    await log.signedIn({ party, method: 'oidc', network: '192.0.2.1' });
    await log.signedOut(party);
  };
  for (let i = 0; i < ACTOR_BUDGET.burst + 7; i++) await inAndOut('1');
  assert.equal(records.length, 2 * ACTOR_BUDGET.burst);
  await inAndOut('2');
  assert.deepEqual(
    records
      .splice(0)
      .slice(-2)
      .map(({ actor, detail }) => [actor, detail?.['left_out']]),
    [
      [partyOf('2').actor, undefined],
      [partyOf('2').actor, undefined],
    ],
  );
  nowMs += ACTOR_BUDGET.everyMs;
  await inAndOut('1');
  await inAndOut('1');
  assert.deepEqual(
    records.map(({ event, detail }) => [event, detail?.['left_out']]),
    [
      ['console_signed_in', 7],
      ['console_signed_out', 7],
    ],
  );
});

test('a pace remembers so many, and forgets who came longest ago', () => {
  const pace = new RecordPace({ burst: 1, everyMs: 60_000 });
  assert.deepEqual([pace.take('a', 0), pace.take('a', 0), pace.take('b', 0)], [0, null, 0]);
  for (let i = 0; i < 9_999; i++) pace.take(`n${i}`, 0);
  assert.equal(pace.take('b', 0), null);
  assert.equal(pace.take('a', 0), 0);
});
