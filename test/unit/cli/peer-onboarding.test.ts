import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CliFixture, createCliFixture } from '../../support/cli-fixture.ts';
import { DeskNetwork, type DeskNode } from '../../support/onboarding-desk.ts';

interface Side {
  readonly node: DeskNode;
  readonly cli: CliFixture;
}

/** Two operators, each with the command line of a node; the nodes reach each other. */
async function sides(t: TestContext, software?: string): Promise<{ acme: Side; globex: Side }> {
  const net = new DeskNetwork(t);
  const side = async (authority: string, seed: number): Promise<Side> => {
    const node = await net.node(authority, seed, software === undefined ? {} : { software });
    const cli = await createCliFixture({ onboarding: node.onboarding() });
    t.after(() => cli.close());
    return { node, cli };
  };
  return { acme: await side('acme.example', 1), globex: await side('globex.example', 2) };
}

const wordsIn = (text: string): string =>
  [...text.matchAll(/ \d{1,2} ([a-z]{3,8})/g)].map(([, word]) => word).join(' ');

test('without a terminal: a code, a partner that waits, words that are typed', async (t) => {
  const { acme, globex } = await sides(t);
  const made = await acme.cli.run('peer invite --share public,company/incident-42 --accept public --valid-for 30m');
  assert.equal(made.code, 0, made.stderr);
  const [code = ''] = /stigmem1[a-z2-7]+/.exec(made.stdout) ?? [];
  const joined = await globex.cli.run(`peer join ${code.slice(0, 50)} ${code.slice(50)}`);
  assert.match(joined.stdout, /acme waits\. With the words on its screen/);
  const words = wordsIn(joined.stdout);
  assert.equal(words.split(' ').length, 12);

  const listed = await acme.cli.run('peer invites');
  assert.match(listed.stdout, /invite +pending +globex stigmem:\/\/globex\.example/);
  const silent = await acme.cli.run('peer confirm globex');
  assert.equal(silent.code, 2);
  assert.match(silent.stderr, /expected the twelve words on the partner’s screen/);
  const wrong = await acme.cli.run(`peer confirm globex --words '${words.replace(/^\S+/, 'zoo')}'`);
  assert.deepEqual([wrong.code, acme.node.peers()], [1, []]);
  assert.match(wrong.stderr, /words_differ: .*somebody sits in between/);
  const right = await acme.cli.run(`peer confirm globex --words ${words.toUpperCase()}`);
  assert.deepEqual([right.code, acme.node.peers()], [0, ['globex']], right.stderr);
});

test('on a terminal: yes in full is yes, no is no, anything else is asked again, an end of input decides nothing', async (t) => {
  for (const [typed, exit, peers] of [
    ['yes\n', 0, ['acme']],
    ['y\n\nYES\nyes\n', 0, ['acme']],
    ['no\n', 1, []],
    ['y\n', 1, []],
    ['', 1, []],
  ] as const) {
    const { acme, globex } = await sides(t);
    const { code } = (await acme.cli.run('peer invite --share public --json')).json();
    const ran = await globex.cli.run(`peer join ${code}`, { stdin: typed, interactive: true });
    assert.deepEqual([ran.code, globex.node.peers()], [exit, peers], `${JSON.stringify(typed)}: ${ran.stderr}`);
    const [view] = await globex.node.onboarding().list();
    const decided = typed === 'no\n' ? 'rejected' : 'pending';
    assert.equal(view?.state, exit === 0 ? 'confirmed' : decided);
    if (decided === 'pending' && exit === 1) assert.match(ran.stderr, /nothing was decided: acme waits/);
  }
});

test('what a partner says of itself cannot write on the screen', async (t) => {
  const { acme, globex } = await sides(t, 'x\u001b[2J\u202eevil');
  const { code } = (await acme.cli.run('peer invite --share public --json')).json();
  const { stdout } = await globex.cli.run(`peer join ${code}`);
  assert.match(stdout, /x\\u\{1b\}\[2J\\u\{202e\}evil/);
  assert.ok(!stdout.includes('\u001b') && !stdout.includes('\u202e'));
});

test('files: declaration on one side, add on the other, and confirm', async (t) => {
  const { acme, globex } = await sides(t);
  const file = join(globex.cli.dir, 'globex.peer');
  const given = await globex.cli.run(`peer declaration --out ${file}`);
  assert.match(given.stdout, /globex\.peer: give it to the partner/);
  assert.match(readFileSync(file, 'utf8'), /^stigmem-peer\/v1\nstigmem:\/\/globex\.example\n/);
  const ran = await acme.cli.run(`peer add ${file} --share public --until 2099-12-31`, {
    stdin: 'yes\n',
    interactive: true,
  });
  assert.deepEqual([ran.code, acme.node.peers()], [0, ['globex']], ran.stderr);
  assert.match(ran.stdout, /The grants end at 2100-01-01T00:00:00\.000Z/);
  for (const [args, exit, says] of [
    ['peer add /nowhere/x.peer --share public', 3, /no file is/],
    [`peer add ${file} --address /ip4/192.0.2.1/tcp/1`, 2, /a file goes with --share/],
    ['peer add globex --node-id stigmem://globex.example', 2, /got one of them/],
    [`peer add ${join(acme.cli.dir, 'config.toml')} --share public`, 1, /declaration_invalid: /],
  ] as const) {
    const bad = await acme.cli.run(args);
    assert.equal(bad.code, exit, `${args}: ${bad.stderr}`);
    assert.match(bad.stderr, says);
  }
});

test('reject ends a code that nobody has used, and a partner that waits', async (t) => {
  const { acme, globex } = await sides(t);
  const made = [
    await acme.cli.run('peer invite --share public --json'),
    await acme.cli.run('peer invite --share public --json'),
  ];
  const [first, second] = made.map((one) => one.json());
  assert.match((await acme.cli.run(`peer reject ${first.onboarding.id}`)).stdout, /good for nobody now/);
  const late = await globex.cli.run(`peer join ${first.code}`);
  assert.match(late.stderr, /not_let_in: the inviter hung up/);
  await globex.cli.run(`peer join ${second.code}`);
  assert.match((await acme.cli.run('peer reject globex')).stdout, /globex is rejected; nothing flows/);
  assert.equal((await acme.cli.run('peer reject globex')).code, 3);
});

test('a wrong command line says what was expected; a node that does not run has nobody to join', async (t) => {
  const { acme } = await sides(t);
  for (const [args, exit, says] of [
    ['peer invite --share public --until tomorrow', 2, /Expected a day or a time with its offset/],
    ['peer invite --share public --until 2026-02-30', 2, /Expected a day/],
    ['peer invite --share public --valid-for 1w', 2, /expected --valid-for with a span/],
    ['peer invite --share public --valid-for 8d', 1, /valid_for_s/],
    ['peer invite', 2, /expected at least one feed .*got none\nAdd --share public/],
    ['peer invite --share local', 1, /local facts never leave/],
    ['peer join hello', 1, /begins with stigmem1/],
  ] as const) {
    const ran = await acme.cli.run(args);
    assert.equal(ran.code, exit, `${args}: ${ran.stderr}`);
    assert.match(ran.stderr, says);
  }
  const stopped = await createCliFixture();
  t.after(() => stopped.close());
  const ran = await stopped.run('peer invite --share public');
  assert.equal(ran.code, 5);
  assert.match(ran.stderr, /the node is not running/);
});
