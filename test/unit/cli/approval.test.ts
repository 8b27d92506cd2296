/** Proposals that stand behind many that are decided: the list is followed to its end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Proposal } from '../../../src/core/approval.ts';
import type { ProposalQuery } from '../../../src/journal/proposals.ts';
import { createCliFixture } from '../../support/cli-fixture.ts';

const OLD: Proposal = {
  id: 7,
  action: 'peer.resume',
  subject: 'stigmem://globex.example',
  params: { name: 'globex' },
  reason: 'they restored the wrong copy',
  proposed_by: 'agent:ann#00000001',
  proposed_at: '2026-11-20T12:00:00.000000+00:00',
  expires_at: '2026-12-20T12:00:00.000000+00:00',
  state: 'open',
  decision: null,
};

test('a proposal behind pages of decided ones is listed', async () => {
  const asked: (number | null)[] = [];
  const list = async ({ before }: Omit<ProposalQuery, 'nowIso'>) => {
    asked.push(before);
    if (before === null) return { proposals: [], before: 20_000 };
    return before > 10_000 ? { proposals: [], before: 10_000 } : { proposals: [OLD], before: null };
  };
  const cli = await createCliFixture({
    approvals: {
      fourEyes: ['peer.resume'],
      list,
      find: async () => null,
      end: async () => assert.fail('nothing is decided'),
    },
  });
  const shown = await cli.run('approval list');
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /7 +open +peer\.resume +stigmem:\/\/globex\.example/);
  assert.deepEqual(asked, [null, 20_000, 10_000]);
  const { proposals, has_more } = (await cli.run('approval list --json')).json();
  assert.deepEqual([proposals.map(({ id }: Proposal) => id), has_more], [[7], false]);

  const first = JSON.parse(await (await cli.api.send('/v1/approvals', { as: 'admin' })).text());
  assert.deepEqual([first.proposals, first.has_more, first.before], [[], true, 20_000]);
  await cli.close();
});
