import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyStatus } from '../../../src/core/key-status.ts';
import { createCliFixture } from '../../support/cli-fixture.ts';

const OWN: KeyStatus = {
  node_id: 'stigmem://acme.example',
  peer: null,
  use: 'log',
  name: 'acme.example/journal/0',
  key_id: '0a1b2c3d',
  vkey: 'acme.example/journal/0+0a1b2c3d+AQ==',
  state: 'valid',
  not_before: '2026-01-01T00:00:00Z',
  not_after: null,
  seconds_left: null,
  days_left: null,
  warning: null,
};
const SENTENCE = 'globex’s witness key of globex.example/witness (11223344) ends in 6 days: globex has to act';
const KEYS: readonly KeyStatus[] = [
  OWN,
  {
    ...OWN,
    node_id: 'stigmem://globex.example',
    peer: 'globex',
    use: 'witness',
    name: 'globex.example/witness',
    key_id: '11223344',
    not_after: '2026-11-30T00:00:00Z',
    seconds_left: 520_000,
    days_left: 6,
    warning: { step: 7, sentence: SENTENCE },
  },
];

test('keys list shows whose key, how long it is good, and below who has to act', async (t) => {
  const cli = await createCliFixture({ signingKeys: KEYS });
  t.after(() => cli.close());
  const { code, stdout } = await cli.run('keys list');
  assert.equal(code, 0);
  const [head = '', own = '', globex = '', empty, warning, ...more] = stdout.trimEnd().split('\n');
  assert.match(head, /^OWNER +USE +NAME +KEY +STATE +ENDS +DAYS LEFT$/);
  assert.match(own, /^self +log +acme\.example\/journal\/0 +0a1b2c3d +valid/);
  assert.match(globex, /^globex +witness +globex\.example\/witness +11223344 +valid +2026-11-30T00:00:00Z +6$/);
  assert.deepEqual([empty, warning, more], ['', `! ${SENTENCE}`, []]);
  assert.deepEqual((await cli.run('keys list --json')).json(), { keys: KEYS });
});

test('status has the sentence of each key that ends, and nothing of the others', async (t) => {
  const cli = await createCliFixture({ signingKeys: KEYS });
  t.after(() => cli.close());
  const { stdout } = await cli.run('status');
  assert.equal(stdout.split('\n').filter((line) => line === `! ${SENTENCE}`).length, 1, stdout);
  assert.doesNotMatch(stdout, /0a1b2c3d/);
  assert.deepEqual((await cli.run('status --json')).json().keys, KEYS);
});
