import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerStatus } from '../../../src/core/peer-status.ts';
import { createCliFixture } from '../../support/cli-fixture.ts';

const PEER: PeerStatus = {
  name: 'globex',
  node_id: 'stigmem://globex.example',
  peer_id: '12D3KooWB',
  addresses: [],
  state: 'current',
  waiting_on: null,
  circuit: 'closed',
  circuit_reason: null,
  circuit_until: null,
  share: ['public', 'team', 'team/ops'],
  accept: [],
  namespaces: [],
  cursors: [],
  lag_entries: 0,
  checkpoint: null,
  accepted: 0,
  refused: 0,
  acknowledged: [],
  closed: [],
  refused_of_ours: [],
  last_verdicts: [],
  last_contact_at: null,
  last_error: null,
  next_attempt_at: null,
  pinned_log_key: null,
  key_changes: [],
  clock_skew_ms: null,
};

test('status says what of the configuration is weaker than by default', async (t) => {
  const sentence = 'globex is granted team/ops: facts of the team leave this organisation';
  const weakenings = [{ code: 'team_shared', where: 'peers/globex.toml', sentence }] as const;
  const cli = await createCliFixture({ peers: [PEER], weakenings });
  t.after(() => cli.close());
  const { stdout } = await cli.run('status');
  assert.match(stdout, /! weaker than by default \(peers\/globex\.toml\): globex is granted team\/ops/);
});
