import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keyParty, personParty } from '../../../src/admin/party.ts';
import { type CliFixture, createCliFixture } from '../../support/cli-fixture.ts';

const ISSUER = 'https://idp.acme.example';

let cli: CliFixture;
before(async () => {
  cli = await createCliFixture();
});
after(() => cli.close());

function signIn(party: ReturnType<typeof keyParty>): void {
  const method = party.keyId === null ? 'oidc' : 'api_key';
  cli.api.sessions.start({ party, method, network: '192.0.2.1' }, () => party, Date.now());
}

function person(subject: string, name: string): ReturnType<typeof keyParty> {
  return personParty({ person: { issuer: ISSUER, subject }, name, roles: 'reader', permissions: ['read'] });
}

test('session end puts out a person by who they are: under every name, and with their own keys', async () => {
  const { key } = cli.api.keyStore.create(
    { name: 'ann-cli', permissions: ['read'], person: `${ISSUER}#1` },
    Date.now(),
  );
  for (const party of [person('1', 'Ann'), person('1', 'Ann Archer'), person('2', 'Ann'), keyParty(key)]) signIn(party);
  const ended = await cli.runBare(['session', 'end', `person:Ann Archer#${ISSUER}#1`, '--json', '--data', cli.dir]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(
    ended.json().sessions.map(({ actor }: { actor: string }) => actor),
    [`person:Ann#${ISSUER}#1`, `person:Ann Archer#${ISSUER}#1`, `agent:ann-cli#${key.id}#${ISSUER}#1`],
  );
  const left = (await cli.run('session list --json')).json().sessions;
  assert.deepEqual(
    left.map(({ actor }: { actor: string }) => actor),
    [`person:Ann#${ISSUER}#2`],
  );
  assert.equal((await cli.run('session end Ann')).code, 3);
  const byId = await cli.run(`session end ${left[0].id}`);
  assert.match(byId.stdout, /^Session [0-9a-f]{8} of person:Ann#https:\/\/idp\.acme\.example#2 is ended\.$/m);
});
