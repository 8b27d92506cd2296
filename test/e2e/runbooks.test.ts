/**
 * The guide is run: every command line of its blocks in their order, and every command of every alert, on a node with partners
 * good and bad. What a placeholder stands for is filled in; what cannot be run here says where it is.
 */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandsIn, type DocCommand } from '../support/doc-commands.ts';
import { logVkeyIn } from '../support/log-vkey.ts';
import { within } from '../support/node-process.ts';
import { COMMAND_NAMES, faultOf } from '../support/program-commands.ts';
import { copyKeys, newestSnapshot, openRunbookMesh, type RunbookMesh } from '../support/runbook-mesh.ts';

const GUIDE = 'docs/OPERATIONS.md';
const RULES = 'deploy/prometheus/stigmem-peerd.rules.yml';
const REPOSITORY = process.cwd();
/** `drill run --all` is one of them: a hostile peer of every kind, one after the other. */
const COMMAND_MS = 240_000;

/** Not run here, each with the reason. */
const ELSEWHERE: readonly (readonly [command: RegExp, why: string])[] = [
  [/^status$/, 'inside of a container: test/interop/deploy.interop.ts'],
  [/s3:/, 'an S3 server: test/interop/s3.interop.ts, worm-lock.interop.ts'],
  [/^verify anchor /, 'receipts of Rekor: test/interop/anchor-rekor.interop.ts'],
  [/^audit tail/, 'it ends when somebody ends it: test/unit/cli/commands.test.ts'],
  [/^verify tee /, 'a report of such a machine: test/integration/anchor/tee-reporting.test.ts'],
  [/^drill run .*--wait-ack/, 'it waits for a person: test/e2e/drills.test.ts'],
  [/^sink skip/, 'a receiver that takes nothing: test/integration/siem/sinks.test.ts'],
  [/^session end/, 'somebody who is signed in: test/unit/cli/commands.test.ts'],
  [/^run /, 'every test of a whole node starts it so'],
  [/^keys rotate node/, 'it waits for 30 days: test/integration/key-succession.test.ts'],
];

/** Ends otherwise than with 0, as the guide says. */
const ENDS: readonly (readonly [command: RegExp, codes: readonly number[]])[] = [
  [/^doctor/, [0, 1]], // 1: a check fails, as here
  [/^status/, [0, 1]],
];

/** What stands in the guide, and what it is here. */
function filled(mesh: RunbookMesh, { words }: DocCommand): readonly string[] {
  const { desk, values } = mesh;
  const value = (name: string): string => values.get(name) ?? assert.fail(`${name} is not known here`);
  const line = words.join(' ');
  const number =
    /^(case|approval)/.exec(line)?.[1] === undefined ? 'SEQ' : line.startsWith('case') ? 'CASE' : 'PROPOSAL';
  const fixed: Readonly<Record<string, () => string>> = {
    DIR: () => dirIn(mesh, line),
    FACT: () => value(line.startsWith('tombstone') ? 'ERASED' : 'FACT'),
    SEQ: () => value('SEQ'),
    RECORD: () => value('SEQ'),
    FIRST: () => '1',
    '2026-12-31': () => '2099-12-31',
    '42': () => value(number),
    '4711': () => value('SEQ'),
    '0190a5c0-…': () => value('HIDDEN'),
    VKEY: () => value(line.startsWith('peer trust-key') ? 'WAITING' : 'FIRST_VKEY'),
    '$(cat acme.vkey)': () => readFileSync(join(desk, 'acme.vkey'), 'utf8'),
    'drills.note': () => join(desk, 'drills.note'),
    'ISSUER#SUBJECT': () => 'https://idp.acme.example#248289761001',
    '/tmp/globex.toml': () => join(desk, 'globex.toml'),
    '~/alice.key': () => join(desk, 'bob.key'),
    '~/bob.key': () => join(desk, 'bob.key'),
    '/backup/acme': () => join(desk, 'backup/acme'),
    '/backup/acme/20261130T053700Z': () => newestSnapshot(mesh),
    '/vault/acme-keys': () => join(desk, 'vault/acme-keys'),
    '/srv/acme-new': () => join(desk, 'srv/acme-new'),
    '/mnt/worm/acme': () => join(desk, 'worm/acme'),
    '/srv/www/log': () => join(desk, 'www/log'),
    DIRECTORY: () => join(desk, 'backup/acme'),
    COPY: () => join(desk, 'srv/acme-new'),
    NAME: () => nameIn(line),
    '{{ $labels.peer }}': () => 'mallory',
    '{{ $labels.peer_id }}': () => 'mallory',
    '{{ $labels.sink }}': () => 'siem',
    globex: () => (line.startsWith('peer resume') ? 'initech' : line.startsWith('peer add') ? 'pied-piper' : 'globex'),
    'globex.peer': () => join(desk, 'globex.peer'),
    alice: () => 'alina',
    'journal.db': () => join(value('DIR'), 'journal.db'),
    'anchors.jsonl': () => join(value('DIR'), 'anchors.jsonl'),
    'stigmem://globex.example': () => 'stigmem://hooli.example',
    '12D3Koo…': () => value('THEIR_PEER_ID'),
    'globex.example/journal/…+1a2b3c4d+A…': () => value('THEIR_KEY'),
    '/dns4/peerd.globex.example/tcp/4101': () => '/dns4/peerd.hooli.example/tcp/4101',
    'stigmem1agfiry65oqe7dfp5klns2pf2lvzmuzyjx4ozieq36n2iqanub5x…': () => value('CODE'),
    '…': () => 'tried',
  };
  const given = words.map((word) => fixed[word]?.() ?? word.replace(/=12D3KooW…$/, () => `=${value('PEER_ID')}`));
  return given.includes('--data') || NEEDS_NO_NODE.test(line) ? given : [...given, '--data', value('DIR')];
}

function dirIn({ desk, values }: RunbookMesh, line: string): string {
  if (/^(init|config set)/.test(line)) return join(desk, 'fresh');
  return String(values.get(line.startsWith('peer join') ? 'UMBRELLA' : 'DIR'));
}

const NEEDS_NO_NODE = /^(verify|evidence verify|drill verify|sink verify-digests|man|completion)\b/;

function nameIn(line: string): string {
  if (line.startsWith('sink')) return 'siem';
  if (line.startsWith('peer trust-key')) return 'hooli';
  if (line.startsWith('key create')) return 'reader';
  return line.startsWith('peer resume') ? 'initech' : 'mallory';
}

/** What has to have happened before, as the text around the command says. */
const BEFORE: readonly (readonly [command: RegExp, prepare: (mesh: RunbookMesh) => unknown])[] = [
  [/^keys rotate/, ({ scene }) => scene.node.stop()],
  [/^keys list/, ({ scene }) => scene.node.start()],
  [/^peer join/, (mesh) => joining(mesh)],
  [/^peer add globex\.peer/, (mesh) => declared(mesh)],
  [/^peer add globex /, ({ cli, node }) => cli(['peer', 'reject', 'umbrella', '--data', node.dir])],
  [
    /^approval approve/,
    async ({ scene, values }) => {
      const { body } = await scene.node.get('/v1/approvals');
      values.set('PROPOSAL', String(body.proposals[0].id));
    },
  ],
  [
    /^sink verify-digests/,
    async ({ scene, desk }) => {
      await scene.bench.until('a digest is in the file', () => {
        const text = readFileSync(join(scene.node.dir, 'export/audit.jsonl'), 'utf8');
        return text.includes('export_digest') ? true : undefined;
      });
      cpSync(join(scene.node.dir, 'export/audit.jsonl'), join(desk, 'audit.jsonl'));
    },
  ],
  [/^verify journal/, (mesh) => withFiles(mesh)],
  [/^snapshot create/, ({ desk, node }) => copyKeys(node.dir, desk)],
];

/** Another organisation, whose node runs, and the code that it was given. */
async function joining({ scene, node, values, cli }: RunbookMesh): Promise<void> {
  const other = await (await scene.bench.node('umbrella.example')).start();
  const made = await cli(['peer', 'invite', '--share', 'public', '--json', '--data', node.dir]);
  values.set('CODE', String(made.json().code)).set('UMBRELLA', other.dir);
}

/** What others verify: a fact with its proof, the published checkpoint, a policy. */
async function withFiles({ node, desk, values }: RunbookMesh): Promise<void> {
  const { body } = await node.get(`/v1/facts/${values.get('FACT')}/proof`);
  writeFileSync(join(desk, 'fact.json'), JSON.stringify(body));
  cpSync(join(desk, 'www/log/checkpoint'), join(desk, 'checkpoint'));
  writeFileSync(join(desk, 'witnesses.txt'), 'quorum none\n');
  writeFileSync(join(desk, 'acme.vkey'), logVkeyIn(node.dir));
}

/** The file that another organisation has made, and what is known of it. */
async function declared({ scene, node, values, cli, desk }: RunbookMesh): Promise<void> {
  const other = await (await scene.bench.node('hooli.example')).start();
  const { code, stderr } = await cli(['peer', 'declaration', '--out', join(desk, 'globex.peer'), '--data', other.dir]);
  assert.equal(code, 0, stderr);
  values.set('THEIR_PEER_ID', other.peerId).set('THEIR_KEY', logVkeyIn(other.dir));
  await cli(['peer', 'reject', 'umbrella', '--data', node.dir]);
}

test('the guide and its runbooks are run', async (t) => {
  const mesh = await openRunbookMesh(t);
  process.chdir(mesh.desk);
  t.after(() => process.chdir(REPOSITORY));
  await t.test('every command of the guide’s blocks, in their order', () => runBlocks(mesh));
  await t.test('every command of every alert', () => runAlerts(mesh));
});

async function runBlocks(mesh: RunbookMesh): Promise<void> {
  const wrong: string[] = [];
  for (const command of commandsIn(join(REPOSITORY, GUIDE), COMMAND_NAMES).filter(({ isWhole }) => isWhole)) {
    const line = command.words.join(' ');
    if (ELSEWHERE.some(([pattern]) => pattern.test(line))) continue;
    for (const [pattern, prepare] of BEFORE) if (pattern.test(line)) await prepare(mesh);
    wrong.push(...(await tried(mesh, command)));
  }
  assert.deepEqual(wrong, []);
}

/** What is wrong with it. */
async function tried(mesh: RunbookMesh, command: DocCommand): Promise<readonly string[]> {
  const words = filled(mesh, command);
  const { code, stdout, stderr } = await within(COMMAND_MS, command.text, mesh.cli(words));
  const codes = ENDS.find(([pattern]) => pattern.test(words.join(' ')))?.[1] ?? [0];
  if (codes.includes(code)) return [];
  return [`${command.at}  ${words.join(' ')}\n  ended with ${code}: ${stderr}${stdout.slice(0, 500)}`];
}

const ALERT = /\bStigmem[A-Z]\w+/g;

/** Commands of the table's row of an alert, of the section that it leads to, and of the rule itself. */
function commandsOfAlerts(): ReadonlyMap<string, readonly DocCommand[]> {
  const rules = readFileSync(join(REPOSITORY, RULES), 'utf8');
  const guide = readFileSync(join(REPOSITORY, GUIDE), 'utf8').split('\n');
  const inGuide = commandsIn(join(REPOSITORY, GUIDE), COMMAND_NAMES);
  const inRules = commandsIn(join(REPOSITORY, RULES), new Set());
  const lineOf = ({ at }: DocCommand): number => Number(at.slice(at.lastIndexOf(':') + 1));
  return new Map(
    [...rules.matchAll(/- alert: (\w+)\n[\s\S]*?(?=\n {6}- alert|\n {2}- name|$)/g)].map(([text, name = ''], at) => {
      const start = rules.slice(0, [...rules.matchAll(/- alert: /g)][at]?.index).split('\n').length;
      const end = start + text.split('\n').length;
      const own = inRules.filter((one) => lineOf(one) >= start && lineOf(one) < end);
      const rows = inGuide.filter((one) => (guide[lineOf(one) - 1] ?? '').match(ALERT)?.includes(name));
      return [name, [...own, ...rows]] as const;
    }),
  );
}

async function runAlerts(mesh: RunbookMesh): Promise<void> {
  const alerts = commandsOfAlerts();
  assert.ok(alerts.size >= 40, `${alerts.size} alerts`);
  const wrong: string[] = [];
  const done = new Set<string>();
  for (const [name, commands] of alerts) {
    // A command without what it needs is named, not typed.
    const typed = commands.filter((command) => faultOf(filled(mesh, command)) === null);
    assert.ok(typed.length > 0, `no command is said for ${name}`);
    for (const command of typed) {
      const line = filled(mesh, command).join(' ');
      if (!done.has(line)) wrong.push(...(await tried(mesh, command)));
      done.add(line);
    }
  }
  assert.ok(done.size > 30, `${done.size} commands`);
  assert.deepEqual(wrong, []);
}
