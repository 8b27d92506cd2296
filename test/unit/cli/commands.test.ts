import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { JournalError } from '../../../src/journal/errors.ts';
import { type CliFixture, createCliFixture, fsckReport } from '../../support/cli-fixture.ts';

let cli: CliFixture;
beforeEach(async () => {
  cli = await createCliFixture();
});
afterEach(() => cli.close());

const WEB1 = 'stigmem://acme.example/host/web1';
const ASSERT = `assert --entity ${WEB1} --relation acme:status --scope public`;

test('--version is the package’s version', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.deepEqual(await cli.runBare(['--version']).then(({ code, stdout }) => [code, stdout]), [0, `${version}\n`]);
});

test('--help names every command, gives examples and the exit codes', async () => {
  const { code, stdout } = await cli.runBare(['--help']);
  assert.equal(code, 0);
  for (const name of [
    'init',
    'run',
    'status',
    'peer',
    'assert',
    'retract',
    'import',
    'query',
    'recall',
    'audit',
    'fsck',
    'key',
    'keys',
    'journal',
    'demo',
  ]) {
    assert.match(stdout, new RegExp(`^ {2}${name}\\b`, 'm'), name);
  }
  assert.match(stdout, /Exit codes:\n +0 {2}done\n +1 {2}refused/);
  assert.match(stdout, /130 {2}stopped by Ctrl-C/);
});

const COMMANDS = [
  ...['init', 'run', 'status', 'assert', 'retract', 'import', 'query', 'recall', 'fsck', 'demo', 'journal head'],
  ...['peer add', 'peer list', 'peer show', 'peer remove', 'peer resume', 'peer trust-key', 'peer retry'],
  ...['approval list', 'approval show', 'approval approve', 'approval reject', 'approval withdraw'],
  ...['quarantine list', 'quarantine show', 'quarantine promote', 'quarantine reject'],
  ...['doctor', 'top', 'config check', 'config show', 'config explain'],
  ...['audit list', 'audit show', 'audit tail', 'key create', 'key list', 'key revoke', 'keys list'],
  ...['session list', 'session end'],
];
for (const command of COMMANDS) {
  test(`${command} --help explains itself with an example`, async () => {
    const { code, stdout, stderr } = await cli.runBare([...command.split(' '), '--help']);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    assert.match(stdout, /--json/);
    assert.ok(stdout.includes(`$ stigmem-peerd ${command}`), stdout);
    if (command !== 'demo') assert.match(stdout, /--data <dir>/);
  });
}

const USAGE: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [['asert'], /unknown command 'asert'\n\(Did you mean assert\?\)/],
  [['query', '--entety', 'x'], /unknown option '--entety'\n\(Did you mean --entity\?\)/],
  [['assert'], /required option '--entity <uri>' not specified/],
  [['status'], /expected the data folder of a node, got none\nAdd --data DIR, or set STIGMEM_PEERD_DATA\./],
  [['query', '--after', 'yesterday'], /Expected an ISO time such as 2026-01-31T12:00:00Z/],
  [['query', '--limit', '0'], /Expected a whole number from 1 to 1000000/],
  [['query', '--scope', 'all'], /Allowed choices are local, team, company, public/],
  [['retract'], /missing required argument 'fact'/],
  [['query', 'a', 'b'], /too many arguments.*\nSee: stigmem-peerd query --help\n$/s],
  [['peer', 'show'], /missing required argument 'name'\nSee: stigmem-peerd peer show --help\n$/],
];
for (const [args, says] of USAGE) {
  test(`usage: ${args.join(' ')}`, async () => {
    const plain = await cli.runBare(args);
    assert.equal(plain.code, 2);
    assert.equal(plain.stdout, '');
    assert.match(plain.stderr, says);
    const json = await cli.runBare([...args, '--json']);
    assert.equal(json.code, 2);
    assert.equal(json.json().error.code, 'usage');
    assert.equal(json.json().error.exit, 2);
  });
}

test('a command with one line in the list of commands has it in its own help', async () => {
  assert.match((await cli.runBare(['peer', 'list', '--help'])).stdout, /\n\nAll partners\.\n\nOptions:/);
});

test('a group without a command shows its help and is a usage error', async () => {
  const { code, stderr, stdout } = await cli.runBare(['peer']);
  assert.equal(code, 2);
  assert.match(stdout + stderr, /add \[options\] <file or name>/);
});

test('the data folder may come from the environment', async () => {
  const { code, json } = await cli.runBare(['journal', 'head', '--json'], { env: {} });
  assert.equal(code, 2);
  assert.equal(json().error.code, 'usage');
  process.env['STIGMEM_PEERD_DATA'] = cli.dir;
  try {
    assert.equal((await cli.runBare(['journal', 'head', '--json'])).code, 0);
  } finally {
    delete process.env['STIGMEM_PEERD_DATA'];
  }
});

test('a folder without a node: exit 5, and init is named', async () => {
  for (const command of [['status'], ['query'], ['fsck'], ['peer', 'list'], ['key', 'list']]) {
    const { code, stderr } = await cli.runBare([...command, '--data', join(cli.dir, 'none')]);
    assert.equal(code, 5, command.join(' '));
    assert.match(stderr, /stigmem-peerd init --data .*none --node-id/, command.join(' '));
  }
});

test('a locked node: exit 5 with the journal’s own words', async () => {
  cli.node.openOffline = () => Promise.reject(new JournalError('locked', 'another process has the journal open'));
  const { code, json, stderr } = await cli.run('query --json');
  assert.equal(code, 5);
  assert.deepEqual(json(), {
    error: { code: 'locked', message: 'another process has the journal open', fix: null, exit: 5 },
  });
  assert.match(stderr, /^error: another process has the journal open\n$/);
});

test('a journal that contradicts itself: exit 4', async () => {
  cli.node.openOffline = () =>
    Promise.reject(new JournalError('history_rewritten', 'the tree does not extend the signed one'));
  assert.equal((await cli.run('query')).code, 4);
});

test('a misconfigured node: exit 5 with every problem', async () => {
  writeFileSync(join(cli.dir, 'config.toml'), 'node_id = "stigmem://acme.example"\nx = 1\n[api]\nport = "a"\n');
  const { code, stderr } = await cli.run('query');
  assert.equal(code, 5);
  assert.match(
    stderr,
    /the configuration has 2 problems:\n {2}.*config\.toml:2: unknown key "x".*\n {2}.*config\.toml:4: api\.port: expected a port/,
  );
});

test('assert shows the fact as stored; asserting it again shows the same one', async () => {
  const first = await cli.run(`${ASSERT} --value up --json`);
  assert.equal(first.code, 0);
  assert.equal(first.stderr, '');
  assert.equal(first.json().source, 'stigmem://example/operator');
  assert.equal(first.json().value.v, 'up');
  const again = await cli.run(`${ASSERT} --value up --json`);
  assert.equal(again.code, 0);
  assert.equal(again.json().id, first.json().id);
  const human = await cli.run(`${ASSERT} --value up`);
  assert.match(human.stdout, /^id +\S+\ncid +sha256:\S+\nentity +stigmem:\/\/acme\.example\/host\/web1\n/);
});

const VALUES: readonly [args: string, text: string][] = [
  ['--type number --value 9007199254740993', '"v":9007199254740993'],
  ['--type number --value 1.10', '"v":1.1'],
  ['--type number --value 5', '"v":5,'],
  ['--type number --value -0.5', '"v":-0.5'],
  ['--type boolean --value true', '"v":true'],
  ['--type boolean --value false', '"v":false'],
  ['--type null', '"v":null'],
  ['--type datetime --value 2027-01-01T00:00:00Z', '"v":"2027-01-01T00:00:00Z"'],
  ["--value 'two words'", '"v":"two words"'],
  ['--value 5', '"v":"5"'],
];
for (const [args, text] of VALUES) {
  test(`assert ${args} keeps the value`, async () => {
    const { code, stdout, stderr } = await cli.run(`${ASSERT} ${args} --json`);
    assert.equal(code, 0, stderr);
    assert.ok(stdout.includes(text), stdout);
  });
}

const BAD_VALUES: readonly [args: string, says: RegExp][] = [
  ['', /expected --value with a string, got none/],
  ['--type number --value five', /expected --value with a number such as 0\.5, got "five"/],
  ['--type number --value NaN', /got "NaN"/],
  ['--type number --value 01', /got "01"/],
  ['--type boolean --value yes', /expected --value true or false, got "yes"/],
  ['--value x --confidence high', /expected --confidence with a number such as 0\.5, got "high"/],
];
for (const [args, says] of BAD_VALUES) {
  test(`assert ${args} is a usage error before anything is sent`, async () => {
    const { code, stderr } = await cli.run(`${ASSERT} ${args}`);
    assert.equal(code, 2);
    assert.match(stderr, says);
    assert.deepEqual(cli.requests, []);
  });
}

test('what the node refuses is told in its words, with exit 1', async () => {
  const high = await cli.run(`${ASSERT} --value x --confidence 1.5`);
  assert.equal(high.code, 1);
  assert.match(high.stderr, /^error: confidence: /);
  const empty = await cli.run(`assert --entity ' ' --relation a:b --value x --scope public`);
  assert.equal(empty.code, 1);
  assert.match(empty.stderr, /invalid_entity_uri/);
});

test('an unknown garden is not found', async () => {
  const { code, stderr } = await cli.run(`${ASSERT} --value x --garden nowhere`);
  assert.equal(code, 3);
  assert.match(stderr, /garden not found: "nowhere" is not among those of this node\nList it in config\.toml/);
});

test('warnings of the node go to standard error', async () => {
  const { stdout, stderr } = await cli.run(`assert --entity ${WEB1} --relation bare --value x --scope local --json`);
  assert.match(stderr, /^warning: bare relation/);
  JSON.parse(stdout);
});

test('retract writes a fact of the same source with confidence 0', async () => {
  const { id } = (await cli.run(`${ASSERT} --value up --json`)).json();
  const { code, json } = await cli.run(`retract ${id} --json`);
  assert.equal(code, 0);
  const { entity, relation, source, scope, confidence, value } = json();
  assert.deepEqual(
    [entity, relation, source, scope, confidence],
    [WEB1, 'acme:status', 'stigmem://example/operator', 'public', 0],
  );
  assert.deepEqual(value, { type: 'string', v: 'retracted', interpret_as: 'content' });
});

test('retracting what is not there: exit 3', async () => {
  assert.equal((await cli.run('retract 00000000-0000-0000-0000-000000000000')).code, 3);
  assert.equal((await cli.run('retract sha256:xyz')).code, 1);
});

test('query lists, pages and shows one', async () => {
  for (let number = 0; number < 7; number++)
    await cli.run(`assert --entity e:${number} --relation r:r --value ${number} --scope public`);
  const two = await cli.run('query --limit 2');
  assert.equal(two.code, 0);
  assert.match(two.stdout, /^ENTITY +RELATION +VALUE +SCOPE +FROM +ID\n/);
  assert.match(two.stdout, /2 of 7 facts; --all shows all\n$/);
  const all = (await cli.run('query --all --json')).json();
  assert.equal(all.facts.length, 7);
  assert.equal(new Set(all.facts.map((fact: { id: string }) => fact.id)).size, 7);
  assert.equal(all.cursor, null);
  const one = await cli.run(`query ${all.facts[0].id} --json`);
  assert.equal(one.json().cid, all.facts[0].cid);
  const none = await cli.run('query --entity e:9');
  assert.equal(none.code, 0);
  assert.equal(none.stdout, 'No facts match.\n');
  assert.equal((await cli.run('query 00000000-0000-0000-0000-000000000000')).code, 3);
});

test('a changed row is an integrity problem, not a fact', async () => {
  const { id } = (await cli.run(`${ASSERT} --value up --json`)).json();
  await cli.api.tamper(id, 'value_v', 'down');
  for (const args of [`query ${id}`, 'query']) {
    const { code, stderr, stdout } = await cli.run(args);
    assert.equal(code, 4, args);
    assert.equal(stdout, '');
    assert.match(stderr, /cid_mismatch.*\n.*stigmem-peerd fsck/);
  }
});

test('what others wrote cannot steer a terminal', async () => {
  const body = {
    entity: 'e:x',
    relation: 'r:r',
    value: { type: 'text', v: '\u001b[2J\u202eevil\r\nx' },
    source: 's',
    scope: 'public',
  };
  await cli.api.send('/v1/facts', { as: 'full', body });
  const { stdout } = await cli.run('query');
  assert.ok(stdout.includes('\\u{1b}[2J\\u{202e}evil\\u{d}\\u{a}x'), stdout);
  for (const dangerous of ['\u001b', '\u202e', '\r']) assert.ok(!stdout.includes(dangerous));
});

test('a hidden fact is shown as text, in the list and alone', async () => {
  const body = {
    entity: 'e:hidden',
    relation: 'r:r',
    value: { type: 'text', v: '\u001b]0;run me\u0007\u202e\r\nrm' },
    source: 's',
    scope: 'public',
  };
  const posted = await cli.api.send('/v1/facts', { as: 'full', body });
  const { id } = (await posted.json()) as { readonly id: string };
  await cli.api.quarantine(id);
  for (const command of ['quarantine list', `quarantine show ${id}`]) {
    const { stdout, code } = await cli.run(command);
    assert.equal(code, 0);
    assert.ok(stdout.includes('\\u{1b}]0;run me\\u{7}\\u{202e}\\u{d}\\u{a}rm'), stdout);
    for (const dangerous of ['\u001b', '\u0007', '\u202e', '\r']) assert.ok(!stdout.includes(dangerous));
  }
  assert.equal((await cli.run('quarantine promote nobody --reason x')).code, 3);
  assert.equal((await cli.run('quarantine promote nobody')).code, 2, 'not without a reason');
});

test('tables fit a terminal and are whole elsewhere', async () => {
  await cli.run(
    `assert --entity stigmem://acme.example/host/${'x'.repeat(100)} --relation r:r --value ${'v'.repeat(100)} --scope public`,
  );
  const terminal = await cli.run('query', { isTTY: true, columns: 80, env: { NO_COLOR: '1' } });
  for (const line of terminal.stdout.split('\n')) assert.ok(line.length <= 80, line);
  const pipe = await cli.run('query');
  assert.ok(pipe.stdout.includes('v'.repeat(100)));
});

test('colour is for terminals that want it', async () => {
  const colored = (text: string): boolean => text.includes('\u001b[');
  assert.equal(colored((await cli.run('query', { isTTY: true })).stdout), false, 'no facts, no colour');
  await cli.run(`${ASSERT} --value up`);
  assert.equal(colored((await cli.run('query', { isTTY: true, columns: 200 })).stdout), true);
  assert.equal(colored((await cli.run('query')).stdout), false);
  assert.equal(colored((await cli.run('query', { isTTY: true, env: { NO_COLOR: '1' } })).stdout), false);
  assert.equal(colored((await cli.run('query', { isTTY: true, env: { TERM: 'dumb' } })).stdout), false);
  assert.equal(colored((await cli.run('query', { env: { FORCE_COLOR: '1' } })).stdout), true);
});

test('fsck: clean is 0, problems are 4 with table, row and field', async () => {
  const clean = await cli.run('fsck');
  assert.equal(clean.code, 0);
  assert.equal(
    clean.stdout,
    'clean: 9 entries (0.5 s)\nNot recorded: that takes the folder’s log key, and the account that the folder belongs to.\n',
  );
  cli.node.signCheck = () => 'note';
  cli.node.leaveCheck = (_dir, note) => note === 'note';
  assert.equal((await cli.run('fsck')).stdout.split('\n')[1]?.slice(0, 38), 'The daemon records it when it runs: th');
  assert.equal((await cli.run('fsck --json')).json().recorded, 'waiting');
  cli.node.signCheck = () => null;
  assert.equal((await cli.run('fsck --no-record')).stdout, 'clean: 9 entries (0.5 s)\n');
  const problem = { table: 'entries', row: 7, field: 'value_v', code: 'cid_mismatch', detail: 'cid does not match' };
  cli.node.runFsck = async (_dir, { onProgress }) => {
    onProgress?.({ phase: 'entries', done: 1, total: 2 });
    return { ...fsckReport(problem, 3), notices: [{ code: 'n', detail: 'signatures were not checked' }] };
  };
  const broken = await cli.run('fsck');
  assert.equal(broken.code, 4);
  assert.equal(broken.stderr, '');
  const onTerminal = await cli.run('fsck', { isTTY: true, env: { NO_COLOR: '1' } });
  assert.equal(onTerminal.stderr, 'entries: 1 of 2\r\u001b[K');
  assert.match(
    broken.stdout,
    /^3 problems: 9 entries \(0\.5 s\)\n! signatures were not checked\n\nTABLE +ROW +FIELD +WHAT IS WRONG\nentries +7 +value_v +cid does not match\n… and 2 more\n/,
  );
  const json = await cli.run('fsck --json');
  assert.equal(json.code, 4);
  const { clean: isClean, problems, problem_count } = json.json();
  assert.deepEqual([isClean, problems, problem_count], [false, [problem], 3]);
});

test('a path where nothing is: no damaged backup, and no evidence that is too large', async () => {
  for (const command of ['snapshot verify /nowhere/20261130T053700Z', 'restore /nowhere/x --keys keys']) {
    const { code, stderr } = await cli.run(command);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /expected a snapshot, got "\/nowhere\/\w+", which is not there/);
  }
  const { code, stderr } = await cli.runBare(['evidence', 'verify', '/nowhere/evidence.tar']);
  assert.equal(code, 2);
  assert.match(stderr, /expected a file that is there/);
});

test('fsck stopped by Ctrl-C is no verdict', async () => {
  cli.node.runFsck = async (_dir, { onProgress, signal }) => {
    onProgress?.({ phase: 'entries', done: 1, total: 2 });
    await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
    throw signal?.reason;
  };
  const { code, stdout, stderr } = await cli.run('fsck', { isTTY: true, signals: ['SIGINT'] });
  assert.equal(code, 130);
  assert.equal(stdout, '');
  assert.match(stderr, /nothing is known yet/);
});

test('keys are made, listed and revoked', async () => {
  const made = await cli.run('key create importer --permission read write --days 7');
  assert.equal(made.code, 0);
  assert.match(made.stdout, /^smk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}\n$/);
  assert.match(
    made.stderr,
    /^Key [0-9a-f]{8} \(importer, automation\): read write; expires .* It is shown this once\.\n$/,
  );
  assert.match((await cli.run('key list')).stdout, /importer +active +automation +read write .* –\n/);
  assert.equal((await cli.run('key revoke importer')).stdout.startsWith('Key '), true);
  assert.match((await cli.run('key list')).stdout, /importer +revoked +automation/);
  assert.equal((await cli.run('key revoke importer')).code, 3);
  assert.equal((await cli.run('key revoke nobody')).code, 3);
  assert.equal((await cli.run('key create')).code, 2);
  assert.match(
    (await cli.run('key create carla --role reviewer')).stderr,
    /\(carla, human\): audit.read federate read review/,
  );
  assert.equal((await cli.run('key create bot --role reviewer --class automation')).code, 1);
  assert.equal((await cli.run('key create bot --role king')).code, 2);
  assert.equal((await cli.run('key create x --permission fly')).code, 2);
  assert.equal((await cli.run('key create importer --permission read --days 0')).code, 2);
  await cli.run('key create twice --permission read');
  assert.equal((await cli.run('key create twice --permission read')).code, 1);
});

test('a token that others can read is not used', async () => {
  chmodSync(join(cli.dir, 'keys', 'cli.token'), 0o644);
  const { code, stderr } = await cli.run('query');
  assert.equal(code, 5);
  assert.match(stderr, /got 0644\nRun: chmod 600 .*cli\.token/);
});

test('a token that is not accepted says how to make a new one', async () => {
  writeFileSync(join(cli.dir, 'keys', 'cli.token'), `smk_00000000_${'A'.repeat(43)}\n`);
  const { code, stderr } = await cli.run('query');
  assert.equal(code, 5);
  assert.match(stderr, /got 401.*\nMake a new one: stigmem-peerd key create --cli/);
  const made = await cli.run('key create --cli');
  assert.equal(made.code, 0);
  assert.equal(statSync(join(cli.dir, 'keys', 'cli.token')).mode & 0o777, 0o600);
});

test('journal head shows what is signed', async () => {
  await cli.run(`${ASSERT} --value up`);
  const { json } = await cli.run('journal head --json');
  assert.equal(json().size, 1);
  const { stdout } = await cli.run('journal head');
  assert.match(stdout, /^origin +\S+\nsize +1\n/);
});

test('audit: list with filters, pages through all, shows one with evidence', async () => {
  await cli.api.audit(
    ...Array.from({ length: 12 }, (_, index) => ({
      event: 'federation_integrity_rejected',
      reason: index % 2 === 0 ? 'cid_mismatch' : 'entry_malformed',
      peer: 'stigmem://globex.example',
    })),
  );
  const some = await cli.run('audit list --limit 5 --json');
  assert.deepEqual(
    some.json().entries.map((entry: { seq: number }) => entry.seq),
    [12, 11, 10, 9, 8],
  );
  assert.equal(some.json().has_more, true);
  const all = await cli.run('audit list --all --order asc --reason cid_mismatch --json');
  assert.deepEqual(
    all.json().entries.map((entry: { seq: number }) => entry.seq),
    [1, 3, 5, 7, 9, 11],
  );
  assert.match((await cli.run('audit list')).stdout, /^SEQ +TIME +SEVERITY +EVENT +REASON +PEER +FACT\n12 /);
  assert.match((await cli.run('audit list --peer nobody')).stdout, /^No records match\.\n$/);
  const one = await cli.run('audit show 3 --json');
  assert.equal(one.json().record.reason, 'cid_mismatch');
  assert.match((await cli.run('audit show 3')).stdout, /reason +cid_mismatch/);
  assert.equal((await cli.run('audit show 99')).code, 3);
  assert.equal((await cli.run('audit show first')).code, 2);
  assert.equal((await cli.run("audit list --since 'last week'")).code, 1);
});

test('audit tail needs a running node', async () => {
  const { code, stderr } = await cli.run('audit tail');
  assert.equal(code, 5);
  assert.match(stderr, /expected a running node to follow/);
});

test('status of a node that does not run', async () => {
  await cli.run(`${ASSERT} --value up`);
  const { code, stdout } = await cli.run('status');
  assert.equal(code, 0);
  assert.match(stdout, /^node +stigmem:\/\/example\nstate +not running\n/);
  assert.match(stdout, /journal +1 fact,/);
  assert.match(stdout, /No peers\. Make one a code: stigmem-peerd peer invite --help/);
  writeFileSync(join(cli.dir, 'peers', 'bad.toml'), 'x = 1');
  const warned = await cli.run('status --json');
  assert.equal(warned.json().peer_file_problems.length, 3);
});

test('init makes a node that nobody else can read, and config.toml last', async () => {
  const dir = join(cli.dir, '..', 'fresh');
  const made = await cli.runBare(['init', '--data', dir, '--node-id', 'stigmem://fresh.example', '--json']);
  assert.equal(made.code, 0);
  const { node_id, peer_id, journal_origin, audit_origin } = made.json();
  assert.equal(node_id, 'stigmem://fresh.example');
  assert.match(peer_id, /^12D3Koo/);
  assert.match(journal_origin, /^fresh\.example\/journal\/[0-9a-f]{16}$/);
  assert.equal(audit_origin, journal_origin.replace('journal', 'audit'));
  assert.deepEqual(readdirSync(dir).sort(), ['config.toml', 'journal.db', 'keys', 'peers', 'run']);
  assert.deepEqual(readdirSync(join(dir, 'keys')).sort(), [
    'anchor.key',
    'api-keys.json',
    'api-keys.lock.db',
    'cli.token',
    'log.key',
    'node.key',
    'restore.key',
    'witness.key',
  ]);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  for (const key of readdirSync(join(dir, 'keys')))
    assert.equal(statSync(join(dir, 'keys', key)).mode & 0o777, 0o600, key);
  assert.notEqual(
    readFileSync(join(dir, 'keys', 'node.key'), 'utf8').slice(-44),
    readFileSync(join(dir, 'keys', 'log.key'), 'utf8').slice(-44),
  );

  const again = await cli.runBare(['init', '--data', dir, '--node-id', 'stigmem://fresh.example']);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /which has one\nStart it: stigmem-peerd run --data/);
  const kept = readFileSync(join(dir, 'keys', 'log.key'));
  const before = ['init', '--if-missing', '--data', dir, '--node-id'];
  const left = await cli.runBare([...before, 'stigmem://fresh.example', '--json']);
  assert.equal(left.code, 0, left.stderr);
  assert.deepEqual(left.json(), { data: dir, node_id: 'stigmem://fresh.example', made: false });
  const other = await cli.runBare([...before, 'stigmem://other.example']);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /expected the node stigmem:\/\/other\.example in .*, got stigmem:\/\/fresh\.example/);
  assert.deepEqual(readFileSync(join(dir, 'keys', 'log.key')), kept);
});

test('init leaves other people’s files alone, and a node without config.toml', async () => {
  const dir = join(cli.dir, '..', 'used');
  mkdirSync(dir);
  writeFileSync(join(dir, 'thesis.txt'), '');
  const used = await cli.runBare(['init', '--data', dir, '--node-id', 'stigmem://a.example']);
  assert.equal(used.code, 1);
  assert.match(used.stderr, /expected an empty folder, got .* with thesis\.txt\nChoose another folder\./);
  rmSync(join(cli.dir, 'config.toml'));
  const halved = await cli.runBare(['init', '--data', cli.dir, '--node-id', 'stigmem://a.example']);
  assert.equal(halved.code, 1);
  assert.match(halved.stderr, /This looks like a node without its config\.toml/);
  assert.ok(existsSync(join(cli.dir, 'keys', 'node.key')));
});

test('init again after it was interrupted', async () => {
  const dir = join(cli.dir, '..', 'again');
  cli.node.initJournal = () => {
    throw new Error('disk full');
  };
  const failed = await cli.runBare(['init', '--data', dir, '--node-id', 'stigmem://a.example']);
  assert.equal(failed.code, 1);
  assert.ok(!existsSync(join(dir, 'config.toml')));
  cli.node.initJournal = (folder) => writeFileSync(join(folder, 'journal.db'), '');
  assert.equal((await cli.runBare(['init', '--data', dir, '--node-id', 'stigmem://a.example'])).code, 0);
  assert.deepEqual(readdirSync(dir).sort(), ['config.toml', 'journal.db', 'keys', 'peers', 'run']);
});

for (const nodeId of ['acme.example', 'stigmem://Acme.example', 'stigmem://acme.example/x', 'stigmem://']) {
  test(`init refuses the node id ${nodeId}`, async () => {
    const dir = join(cli.dir, '..', 'bad');
    const { code, stderr } = await cli.runBare(['init', '--data', dir, '--node-id', nodeId]);
    assert.equal(code, 2);
    assert.match(stderr, /expected --node-id such as stigmem:\/\/acme\.example, got "/);
    assert.ok(!existsSync(dir));
  });
}

const NEVER = new Promise<never>(() => {});

test('run prints where it listens, hands over flags, and stops on a signal', async () => {
  const flags: unknown[] = [];
  let stopped = 0;
  const done = Promise.withResolvers<void>();
  cli.node.runDaemon = async (dir, given) => {
    flags.push(dir, given);
    return {
      api: 'http://127.0.0.1:1',
      addresses: ['/ip4/127.0.0.1/tcp/2/p2p/12D3'],
      nodeId: 'stigmem://acme.example',
      done: done.promise,
      keysBack: NEVER,
      weakenings: () => [],
      reload: () => undefined,
      stop: async () => {
        stopped += 1;
        done.resolve();
      },
    };
  };
  const args =
    'run --api-port 0 --listen /ip4/1.1.1.1/tcp/1 /ip4/1.1.1.1/tcp/2 --set federation.poll_interval_s=5 --set log.level=debug';
  const { code, stdout, stderr } = await cli.run(args, { signals: ['SIGTERM'] });
  assert.equal(code, 0);
  assert.equal(stopped, 1);
  assert.equal(
    stdout,
    'stigmem://acme.example listens: api http://127.0.0.1:1, peers /ip4/127.0.0.1/tcp/2/p2p/12D3 (pid 4242)\n',
  );
  assert.equal(stderr, 'stopping (SIGTERM); once more to stop at once\n');
  const expected = {
    'federation.poll_interval_s': '5',
    'log.level': 'debug',
    'listen.p2p': '/ip4/1.1.1.1/tcp/1,/ip4/1.1.1.1/tcp/2',
    'api.port': '0',
  };
  assert.deepEqual(flags, [cli.dir, expected]);
});

test('run starts the node once more when keys that were missing are back, and stops it as ever', async () => {
  const events: string[] = [];
  const ends = Promise.withResolvers<void>();
  cli.node.runDaemon = async () => {
    const isFirst = events.push('start') === 1;
    return {
      api: `http://127.0.0.1:${events.length}`,
      addresses: [],
      nodeId: 'y',
      done: isFirst ? Promise.resolve().then(() => ends.promise) : Promise.resolve(),
      keysBack: isFirst ? Promise.resolve() : NEVER,
      weakenings: () => [],
      reload: () => undefined,
      stop: async () => {
        events.push('stop');
        ends.resolve();
      },
    };
  };
  const { code, stdout } = await cli.run('run');
  assert.equal(code, 0);
  assert.deepEqual(events, ['start', 'stop', 'start', 'stop']);
  assert.equal(stdout.split('\n').filter((line) => line.includes('listens')).length, 2);
});

test('a second signal ends a node that takes its time', async () => {
  const never = Promise.withResolvers<void>();
  cli.node.runDaemon = async () => ({
    api: 'x',
    addresses: [],
    nodeId: 'y',
    done: never.promise,
    keysBack: NEVER,
    weakenings: () => [],
    reload: () => undefined,
    stop: () => never.promise,
  });
  const run = cli.run('run', { signals: ['SIGINT', 'SIGINT'] });
  const ended = setTimeout(() => never.resolve(), 200);
  assert.equal((await run).code, 130);
  clearTimeout(ended);
});

test('a node that fails while it runs, or says what it cannot know: it stops, exit 1 and why', async () => {
  const failed = Promise.reject(new Error('the disk is gone'));
  failed.catch(() => undefined);
  let stops = 0;
  const node = {
    api: 'x',
    addresses: [],
    nodeId: 'y',
    keysBack: NEVER,
    reload: () => undefined,
    stop: async () => {
      stops += 1;
    },
  };
  const unreadable = (): never => {
    throw new Error('the disk is gone');
  };
  for (const broken of [
    { done: failed, weakenings: () => [] },
    { done: NEVER, weakenings: unreadable },
  ]) {
    stops = 0;
    cli.node.runDaemon = async () => ({ ...node, ...broken });
    const { code, stderr } = await cli.run('run');
    assert.deepEqual([code, stops], [1, 1]);
    assert.match(stderr, /the disk is gone/);
  }
});

test('a stop that somebody holds up ends all the same, before the unit would kill it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stopping = Promise.withResolvers<void>();
  const never = Promise.withResolvers<void>();
  cli.node.runDaemon = async () => ({
    api: 'x',
    addresses: [],
    nodeId: 'y',
    done: never.promise,
    keysBack: NEVER,
    weakenings: () => [],
    reload: () => undefined,
    stop: () => {
      stopping.resolve();
      return never.promise;
    },
  });
  const run = cli.run('run', { signals: ['SIGTERM'] });
  await stopping.promise;
  t.mock.timers.tick(25_000);
  never.resolve();
  const { code, stderr } = await run;
  assert.equal(code, 1);
  assert.match(stderr, /has ended within 25 s; it is left, and nothing that was acknowledged is lost/);
});

test('run --set wants key=value', async () => {
  assert.equal((await cli.run('run --set api.port')).code, 2);
});
