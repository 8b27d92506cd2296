import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OnboardingTerms } from '../../../src/core/onboarding.ts';
import { decodeInviteAnswer, encodeInviteAnswer } from '../../../src/wire/invite.ts';
import { decodeInviteCode, encodeInviteCode } from '../../../src/wire/invite-code.ts';
import { DeskNetwork, type DeskNode, refusedAs, START_MS, taken } from '../../support/onboarding-desk.ts';

const TERMS: OnboardingTerms = { share: ['public'], accept: ['company'], until: null, name: null };
const HOUR_S = 3_600;

async function invite(node: DeskNode, terms: Partial<OnboardingTerms> = {}): Promise<{ code: string; id: string }> {
  const made = taken(await node.onboarding().invite({ terms: { ...TERMS, ...terms }, validForS: HOUR_S }, 'agent:op'));
  return { code: made.code, id: made.view.id };
}

const events = ({ audited }: DeskNode): string[] => audited.map(({ event }) => event);

test('both see the same words, from opposite sides the same grants, and become partners by two times yes', async (t) => {
  const net = new DeskNetwork(t);
  const [acme, globex] = [await net.node('acme.example', 1), await net.node('globex.example', 2)];
  const { code, id } = await invite(acme, { until: '2026-12-31T00:00:00Z' });
  const there = taken(await globex.onboarding().join(code, null, 'agent:op'));
  const here = await acme.onboarding().get(id);
  assert.deepEqual(here?.partner?.words, there.partner?.words);
  assert.deepEqual([here?.share, here?.accept, here?.until], [there.accept, there.share, there.until]);
  assert.deepEqual([here?.name, there.name, here?.state, there.state], ['globex', 'acme', 'pending', 'pending']);
  assert.deepEqual([there.partner?.takes_about, here?.partner?.gives_about], [1_200, 1_200], 'two digits');
  assert.deepEqual([...acme.peers(), ...globex.peers()], []);

  const words = there.partner?.words ?? [];
  taken(await acme.onboarding().confirm('globex', words, 'agent:op'));
  assert.deepEqual([acme.peers(), globex.peers()], [['globex'], []]);
  taken(await globex.onboarding().confirm('acme', words, 'agent:op'));
  assert.deepEqual(globex.peers(), ['acme']);
  assert.deepEqual(events(acme), ['invite_created', 'invite_used', 'peer_confirmed']);
  assert.deepEqual(events(globex), ['peer_pending', 'peer_confirmed']);
  assert.match(
    readFileSync(join(acme.dir, 'peers/globex.toml'), 'utf8'),
    /share = .*not_after = "2026-12-31T00:00:00.000Z"/,
  );
  assert.equal(
    taken(await globex.onboarding().join(code, null, 'agent:op')).state,
    'confirmed',
    'again is no second time',
  );
});

test('files: the same words, and nothing before they are confirmed', async (t) => {
  const net = new DeskNetwork(t);
  const [acme, globex] = [await net.node('acme.example', 1), await net.node('globex.example', 2)];
  const here = taken(await acme.onboarding().take(globex.onboarding().ownNote(), TERMS, 'agent:op'));
  const there = taken(
    await globex.onboarding().take(acme.onboarding().ownNote(), { ...TERMS, name: 'us' }, 'agent:op'),
  );
  assert.deepEqual(here.partner?.words, there.partner?.words);
  assert.equal(refusedAs(await acme.onboarding().confirm('globex', [], 'agent:op')), 'words_differ');
  assert.deepEqual([acme.peers(), events(acme).at(-1)], [[], 'peer_words_differ']);
  taken(await acme.onboarding().confirm('globex', there.partner?.words ?? [], 'agent:op'));
  taken(await globex.onboarding().confirm('us', there.partner?.words ?? [], 'agent:op'));
  assert.deepEqual([acme.peers(), globex.peers()], [['globex'], ['us']]);
  const note = globex.onboarding().ownNote();
  for (const bad of ['', 'hello', note.replace('192.0.2.7', '192.0.2.8'), note.slice(0, -2), `${note}\n`])
    assert.equal(refusedAs(await acme.onboarding().take(bad, TERMS, 'agent:op')), 'declaration_invalid', bad);
  assert.equal(refusedAs(await acme.onboarding().take(acme.onboarding().ownNote(), TERMS, 'a')), 'declaration_invalid');
});

test('a code ends: at its time, at the clock of either side, when it is revoked, and when its partner is rejected', async (t) => {
  const net = new DeskNetwork(t);
  const [acme, globex] = [await net.node('acme.example', 1), await net.node('globex.example', 2)];
  const [late, revoked, rejected] = [await invite(acme), await invite(acme), await invite(acme)];
  taken(await acme.onboarding().revoke(revoked.id, 'agent:op'));
  assert.equal(refusedAs(await globex.onboarding().join(revoked.code, null, 'agent:op')), 'not_let_in');
  taken(await globex.onboarding().join(rejected.code, null, 'agent:op'));
  taken(await acme.onboarding().reject('globex', 'agent:op'));
  assert.equal(refusedAs(await globex.onboarding().join(rejected.code, null, 'agent:op')), 'not_let_in');
  assert.equal(refusedAs(await acme.onboarding().reject('globex', 'agent:op')), 'not_found');

  net.nowMs = START_MS + HOUR_S * 1_000 - 1;
  assert.equal(acme.onboarding().guests().length, 1);
  net.nowMs += 1;
  assert.equal(refusedAs(await globex.onboarding().join(late.code, null, 'agent:op')), 'code_expired');
  assert.equal((await acme.onboarding().get(late.id))?.state, 'expired');
  // A joiner whose clock stands, or who has written another end into the code, is let in no longer either.
  const decoded = decodeInviteCode(late.code);
  assert.ok(decoded.ok);
  const longer = encodeInviteCode({ ...decoded.value, expiresS: decoded.value.expiresS + HOUR_S });
  assert.equal(refusedAs(await globex.onboarding().join(longer, null, 'agent:op')), 'not_let_in');
  assert.deepEqual(acme.onboarding().guests(), []);
});

test('another identity with the code is told so, ten times; the first one stays', async (t) => {
  const net = new DeskNetwork(t);
  const [acme, globex, mallory] = [
    await net.node('acme.example', 1),
    await net.node('globex.example', 2),
    await net.node('globex.example', 3),
  ];
  const { code, id } = await invite(acme);
  taken(await globex.onboarding().join(code, null, 'agent:op'));
  for (let i = 0; i < 10; i++)
    assert.equal(refusedAs(await mallory.onboarding().join(code, null, 'agent:op')), 'code_used', `${i}`);
  assert.equal(refusedAs(await mallory.onboarding().join(code, null, 'agent:op')), 'not_let_in');
  assert.equal((await acme.onboarding().get(id))?.partner?.peer_id, globex.peerId);
  assert.deepEqual(events(acme), [
    'invite_created',
    'invite_used',
    ...Array.from({ length: 10 }, () => 'invite_refused'),
  ]);
  assert.deepEqual(await mallory.onboarding().list(), []);
});

test('what is on disk is all there is: a restart at any point changes nothing, and a yes that was said is carried out', async (t) => {
  const net = new DeskNetwork(t);
  const [acme, globex] = [await net.node('acme.example', 1), await net.node('globex.example', 2)];
  const { code, id } = await invite(acme);
  await acme.restart();
  const words = taken(await globex.onboarding().join(code, null, 'agent:op')).partner?.words ?? [];
  await Promise.all([acme.restart(), globex.restart()]);
  taken(await globex.onboarding().join(code, null, 'agent:op'));
  assert.deepEqual(events(acme), ['invite_created', 'invite_used'], 'used once');
  acme.failNext = true;
  await assert.rejects(acme.onboarding().confirm('globex', words, 'agent:op'), /disk is full/);
  assert.deepEqual([(await acme.onboarding().get(id))?.state, acme.peers()], ['confirming', []]);
  assert.equal(refusedAs(await acme.onboarding().reject('globex', 'agent:op')), 'not_pending');
  await acme.restart();
  assert.deepEqual([(await acme.onboarding().get(id))?.state, acme.peers()], ['confirmed', ['globex']]);
  const said = acme.audited.at(-1);
  assert.deepEqual([said?.event, said?.actor], ['peer_confirmed', 'agent:op'], 'whose yes it was outlives the crash');
});

test('a yes that is carried out behind a crash leaves a file alone that somebody has changed, or written, meanwhile', async (t) => {
  for (const name of ['globex', 'globex-by-hand', 'a-globex']) {
    const net = new DeskNetwork(t);
    const [acme, globex] = [await net.node('acme.example', 1), await net.node('globex.example', 2)];
    const { code, id } = await invite(acme);
    const words = taken(await globex.onboarding().join(code, null, 'agent:op')).partner?.words ?? [];
    const record = join(acme.dir, 'onboarding', `${id}.json`);
    const file = join(acme.dir, 'peers/globex.toml');
    taken(await acme.onboarding().confirm('globex', words, 'agent:op'));
    // As a kill between the peer file and the end of the record leaves it, and an operator who takes a grant back then.
    writeFileSync(record, readFileSync(record, 'utf8').replace('"confirmed"', '"confirming"'));
    const narrower = readFileSync(file, 'utf8').replace('share = ["public"]', 'share = []');
    rmSync(file);
    writeFileSync(join(acme.dir, 'peers', `${name}.toml`), narrower);
    await acme.restart();
    assert.equal((await acme.onboarding().get(id))?.state, 'confirmed', name);
    assert.deepEqual(acme.peers(), [name]);
    assert.equal(readFileSync(join(acme.dir, 'peers', `${name}.toml`), 'utf8'), narrower);
  }
});

test('a record that somebody has edited admits nobody, and the others stay', async (t) => {
  const net = new DeskNetwork(t);
  const [acme, globex] = [await net.node('acme.example', 1), await net.node('globex.example', 2)];
  const [one, other] = [await invite(acme), await invite(acme)];
  const folder = join(acme.dir, 'onboarding');
  const file = join(folder, `${one.id}.json`);
  writeFileSync(file, readFileSync(file, 'utf8').replace('"open"', '"opne"'));
  const met = await invite(acme);
  taken(await globex.onboarding().join(met.code, null, 'agent:op'));
  const metFile = join(folder, `${met.id}.json`);
  writeFileSync(metFile, readFileSync(metFile, 'utf8').replace('192.0.2.7', '192.0.2.8'));
  writeFileSync(join(folder, 'x.json'), readFileSync(join(folder, `${other.id}.json`)));
  await acme.restart();
  assert.equal(acme.onboarding().guests().length, 1);
  assert.deepEqual(
    (await acme.onboarding().list()).map(({ id }) => id),
    [other.id],
  );
  assert.equal(refusedAs(await globex.onboarding().join(one.code, null, 'agent:op')), 'not_let_in');
  taken(await globex.onboarding().join(other.code, null, 'agent:op'));
  assert.ok(readdirSync(folder).includes(`${one.id}.json`), 'it stays for a person to look at');
});

test('what cannot be granted is refused before a code is made; sixteen codes are enough', async (t) => {
  const net = new DeskNetwork(t);
  const acme = await net.node('acme.example', 1);
  const bad: readonly Partial<OnboardingTerms>[] = [
    { share: [], accept: [] },
    { share: ['local'] },
    { share: ['from/initech.example/company'] },
    { share: ['company/'] },
    { share: Array.from({ length: 17 }, (_, i) => `company/g${i}`) },
    { until: '2026-11-24T11:59:59Z' },
    { until: '2200-01-01T00:00:00Z' },
    { name: 'self' },
    { name: '../x' },
  ];
  for (const terms of bad) {
    const made = await acme.onboarding().invite({ terms: { ...TERMS, ...terms }, validForS: HOUR_S }, 'agent:op');
    assert.equal(refusedAs(made), 'invitation_invalid', JSON.stringify(terms));
  }
  for (let i = 0; i < 16; i++) await invite(acme);
  const more = await acme.onboarding().invite({ terms: TERMS, validForS: HOUR_S }, 'agent:op');
  assert.equal(refusedAs(more), 'too_many_invitations');
  net.nowMs += HOUR_S * 1_000;
  await invite(acme);
});

test('who is a partner already, or says so, is shown as that and not confirmed', async (t) => {
  const net = new DeskNetwork(t);
  const [acme, globex, mallory] = [
    await net.node('acme.example', 1),
    await net.node('globex.example', 2),
    await net.node('globex.example', 3),
  ];
  const first = taken(await acme.onboarding().take(globex.onboarding().ownNote(), TERMS, 'agent:op'));
  taken(await acme.onboarding().confirm('globex', first.partner?.words ?? [], 'agent:op'));
  const { code, id } = await invite(acme);
  taken(await mallory.onboarding().join(code, null, 'agent:op'));
  const view = await acme.onboarding().get(id);
  const failed = view?.partner?.checks.filter(({ ok }) => !ok) ?? [];
  assert.deepEqual(
    failed.map(({ name }) => name),
    ['partner'],
  );
  assert.match(failed[0]?.detail ?? '', /globex\.toml is there already/);
  assert.equal(view?.name, 'globex.example');
  assert.equal(refusedAs(await acme.onboarding().confirm(id, view?.partner?.words ?? [], 'agent:op')), 'peer_exists');

  const fourth = await net.node('initech.example', 4);
  const named = taken(
    await acme.onboarding().take(fourth.onboarding().ownNote(), { ...TERMS, name: 'mine' }, 'agent:op'),
  );
  const broken = join(acme.dir, 'peers', 'mine.toml');
  writeFileSync(broken, 'node_id = ');
  const words = named.partner?.words ?? [];
  assert.equal(refusedAs(await acme.onboarding().confirm('mine', words, 'agent:op')), 'peer_exists');
  assert.equal(readFileSync(broken, 'utf8'), 'node_id = ', 'nobody’s file is written over');
});

test('a clock that is far off and an inviter without an address fail before anybody says yes', async (t) => {
  const net = new DeskNetwork(t);
  const [acme, globex] = [await net.node('acme.example', 1), await net.node('globex.example', 2, { addresses: [] })];
  const { code, id } = await invite(acme);
  taken(await globex.onboarding().join(code, null, 'agent:op'));
  const file = join(acme.dir, 'onboarding', `${id}.json`);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"clock_ms":\d+/, `"clock_ms":${START_MS + 301_000}`));
  await acme.restart();
  const checks = (await acme.onboarding().get(id))?.partner?.checks ?? [];
  assert.deepEqual(
    checks.map(({ name, ok }) => [name, ok]),
    [
      ['reach', true],
      ['key', true],
      ['clock', false],
      ['versions', true],
      ['grants', true],
      ['partner', true],
    ],
  );
  assert.match(checks[2]?.detail ?? '', /301\.0 s ahead of ours/);
  const theirs = await invite(globex);
  assert.equal(refusedAs(await acme.onboarding().join(theirs.code, null, 'agent:op')), 'code_invalid');
});

test('a garden that is for others alone is no promise: the check fails, and its facts are not counted', async (t) => {
  const net = new DeskNetwork(t);
  const gardens = [['merger', ['stigmem://initech.example']]] as const;
  const [acme, globex] = [await net.node('acme.example', 1, { gardens }), await net.node('globex.example', 2)];
  const { code, id } = await invite(acme, { share: ['company/merger'] });
  taken(await globex.onboarding().join(code, null, 'agent:op'));
  const partner = (await acme.onboarding().get(id))?.partner;
  const failed = partner?.checks.filter(({ ok }) => !ok) ?? [];
  assert.deepEqual([failed.map(({ name }) => name), partner?.gives_about], [['grants'], 0]);
  assert.match(failed[0]?.detail ?? '', /globex is no member of the garden of company\/merger/);
  const team = await acme.onboarding().invite({ terms: { ...TERMS, share: ['team'] }, validForS: HOUR_S }, 'agent:op');
  assert.equal(refusedAs(team), 'invitation_invalid', 'team is for an edited file alone');
});

test('an answer counts only with the key and the authority that stand in the code', async (t) => {
  const net = new DeskNetwork(t);
  // Before acme: one of them has its key, and the network knows nodes by their keys.
  const others = [await net.node('acme.example', 3), await net.node('umbrella.example', 1)];
  const [acme, globex] = [await net.node('acme.example', 1), await net.node('globex.example', 2)];
  const { code } = await invite(acme);
  const told = (note: string) => (frame: Uint8Array) => {
    const answer = decodeInviteAnswer(frame);
    assert.ok(answer.ok && typeof answer.value !== 'string');
    return encodeInviteAnswer({ ...answer.value, peer: note });
  };
  const lies = [...others.map((node) => told(node.onboarding().ownNote())), told('x'), () => Buffer.from('{}')];
  for (const [i, lie] of lies.entries()) {
    net.altered = lie;
    assert.equal(refusedAs(await globex.onboarding().join(code, null, 'agent:op')), 'answer_invalid', `${i}`);
    assert.deepEqual(await globex.onboarding().list(), []);
  }
  net.altered = (frame) => frame;
  taken(await globex.onboarding().join(code, null, 'agent:op'));
});

test('nobody comes in under the name of a drill: no record names him, and nothing is kept', async (t) => {
  const net = new DeskNetwork(t);
  const acme = await net.node('acme.example', 1);
  const mallory = await net.node('drill-00000000000000000000000000000001.invalid', 2);
  const { code, id } = await invite(acme);
  assert.equal(refusedAs(await mallory.onboarding().join(code, null, 'agent:op')), 'answer_invalid');
  assert.deepEqual(
    acme.audited.slice(1).map(({ event, reason, peer }) => [event, reason, peer]),
    [['invite_refused', 'refused', null]],
  );
  assert.equal((await acme.onboarding().get(id))?.state, 'open');
  const note = mallory.onboarding().ownNote();
  assert.equal(refusedAs(await acme.onboarding().take(note, TERMS, 'agent:op')), 'declaration_invalid');
  const theirs = await invite(mallory);
  assert.equal(refusedAs(await acme.onboarding().join(theirs.code, null, 'agent:op')), 'code_invalid');
  assert.deepEqual(events(acme), ['invite_created', 'invite_refused']);
});
