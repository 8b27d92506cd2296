/**
 * Evidence as a stranger gets it: exported from a node that was lied to, copied to a folder with nothing else in it, and
 * judged there by every Node.js of this machine and by the command line. Needs `npm run build` for `verify.mjs`.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { judgeFile } from '../../src/client/verify-file.ts';
import { readTar, writeTar } from '../../src/core/ustar.ts';
import { lyingLog } from '../adversarial/fact-lies.ts';
import { HostileProcess } from '../support/hostile-process.ts';
import { Bench, MAIN, type NodeProcess } from '../support/node-process.ts';

const FACTS = new URL('../adversarial/fact-lies.ts', import.meta.url).href;
const PAGES = new URL('../adversarial/page-lies.ts', import.meta.url).href;
const WORDS = ['PROVEN', 'NOT PROVEN', 'INVALID'];

interface Case {
  readonly peer: string;
  readonly reason: string;
  /** The exit code of whoever judges it. */
  readonly exit: 0 | 1;
  readonly kind: string | null;
}

const CASES: readonly Case[] = [
  { peer: 'cid_mismatch', reason: 'cid_mismatch', exit: 0, kind: 'd' },
  { peer: 'source_not_owned', reason: 'source_not_owned', exit: 1, kind: null },
  { peer: 'checkpoint_split_view_1', reason: 'checkpoint_split_view', exit: 0, kind: 'a' },
  { peer: 'consistency_proof_invalid_1', reason: 'consistency_proof_invalid', exit: 0, kind: 'b' },
  { peer: 'feed_head_mismatch_3', reason: 'feed_head_mismatch', exit: 0, kind: 'c' },
  { peer: 'page_malformed_1', reason: 'page_malformed', exit: 1, kind: null },
];

test('evidence leaves the node, and is judged where nobody ever met it', async (t) => {
  const bench = new Bench(t);
  const isFact = ({ peer }: Case): boolean => peer === peer.replace(/_\d$/, '');
  const [facts, pages] = [CASES.filter(isFact), CASES.filter((one) => !isFact(one))];
  const [node, liars, cheats] = await Promise.all([
    bench.node('victim.example', ['federation.page_entries=5', 'federation.poll_interval_s=1']).then((n) => n.start()),
    HostileProcess.start(
      bench,
      FACTS,
      facts.map(({ peer }) => peer),
    ),
    HostileProcess.start(
      bench,
      PAGES,
      pages.map(({ peer }) => peer),
    ),
  ]);
  for (const { peer } of facts) node.writePeer(peer, liars.asPeer(peer));
  for (const { peer } of pages) node.writePeer(peer, cheats.asPeer(peer));
  const records = new Map<string, number>();
  for (const { peer, reason } of CASES) {
    const seq = await bench.until(`${peer} is caught`, async () => {
      const found = await node.audit(`peer_id=${peer}&reason=${reason}&event_type=federation_integrity_rejected`);
      const rows = found.length > 0 ? found : await node.audit(`peer_id=${peer}&reason=${reason}`);
      return rows[0]?.seq;
    });
    records.set(peer, seq);
  }

  for (const one of CASES)
    await t.test(`${one.peer}: ${WORDS[one.exit]}`, (s) => assertCase(s, node, one, records.get(one.peer) ?? 0));
  await t.test('the list has them all, and what has no evidence gives none', async () => {
    const { entries } = JSON.parse(cli(['evidence', 'list', '--json', '--data', node.dir]).stdout);
    const listed = entries.map(({ seq }: { seq: number }) => seq);
    for (const seq of records.values()) assert.ok(listed.includes(seq), String(seq));
    assert.ok(entries.every(({ evidence }: { evidence: string | null }) => evidence !== null));
    const nothing = join(bench.root, 'nothing.tar');
    writeFileSync(nothing, 'no evidence');
    assert.equal(cli(['evidence', 'verify', nothing]).status, 2);
    const [added] = await node.audit('event_type=peer_added');
    const none = cli(['evidence', 'export', String(added?.seq), '--data', node.dir, '--out', join(bench.root, 'x')]);
    assert.deepEqual([none.status, /this record has no evidence/.test(none.stderr)], [3, true]);
  });
  await t.test('a node that is not running gives the same bytes', async () => {
    const seq = String(records.get('cid_mismatch'));
    const [running, stopped] = [join(bench.root, 'running.tar'), join(bench.root, 'stopped.tar')];
    assert.equal(cli(['evidence', 'export', seq, '--data', node.dir, '--out', running]).status, 0);
    assert.equal(await node.stop(), 0);
    assert.equal(cli(['evidence', 'export', seq, '--data', node.dir, '--out', stopped]).status, 0);
    assert.ok(readFileSync(running).equals(readFileSync(stopped)));
    assert.equal(cli(['evidence', 'export', seq, '--data', node.dir, '--out', stopped]).status, 1, 'overwritten');
  });
});

async function assertCase(t: TestContext, node: NodeProcess, one: Case, seq: number): Promise<void> {
  const stranger = emptyFolder(t);
  const tar = join(stranger, `evidence-${seq}.tar`);
  const exported = cli(['evidence', 'export', String(seq), '--data', node.dir, '--out', tar, '--json']);
  assert.equal(exported.status, 0, exported.stderr);
  const files = filesOf(tar);
  await unpack(files, stranger);
  assertComplete(files, one);

  const expected = (files.get('expected.txt') ?? '').toString();
  assert.ok(expected.startsWith(WORDS[one.exit] ?? ''), expected);
  for (const program of nodesHere()) {
    const judged = spawnSync(program, ['verify.mjs', 'evidence.json'], { cwd: stranger, env: {}, encoding: 'utf8' });
    assert.deepEqual([judged.status, judged.stdout, judged.stderr], [one.exit, expected, ''], program);
    const whole = spawnSync(program, ['verify.mjs', '--json', tar], { cwd: stranger, env: {}, encoding: 'utf8' });
    const { kind, verdict, class: proven, recorded } = JSON.parse(whole.stdout);
    const wanted = one.exit === 0 ? 'contradiction' : 'accusation';
    assert.deepEqual([kind, verdict, proven, recorded.reason], ['evidence', wanted, one.kind, one.reason]);
  }
  if (one.kind === 'a' || one.exit === 1) {
    const byCommand = cli(['evidence', 'verify', tar]);
    assert.deepEqual([byCommand.status, byCommand.stdout], [one.exit, expected]);
  }
  assertTamperProof(files);
}

/** Every file of the packet that is judged, changed in one place: never proven any more. */
function assertTamperProof(files: ReadonlyMap<string, Buffer>): void {
  for (const name of ['evidence.json', 'record.json', 'peer.json']) {
    const text = (files.get(name) ?? '').toString();
    // A letter of each signature and of each long base64 text.
    for (const at of [text.lastIndexOf('= '), Math.floor(text.length / 2), text.length - 60]) {
      const changed = Buffer.from(text);
      changed[Math.max(at, 1)] = (changed[Math.max(at, 1)] ?? 0) ^ 1;
      const all = [...files].map(([one, bytes]) => ({ name: one, bytes: one === name ? changed : bytes }));
      assert.notEqual(judgeFile({ bytes: writeTar(all), beside: () => null }).exit, 0, `${name}, byte ${at}`);
    }
  }
}

/** The packet holds what it has to, and of the facts of the log that lied, only the one that it is about. */
function assertComplete(files: ReadonlyMap<string, Buffer>, one: Case): void {
  const judged = ['README.txt', 'evidence.json', 'record.json', 'peer.json', 'verify.mjs', 'expected.txt'];
  const isFact = one.peer === one.reason;
  const pages = isFact ? [] : ['page/header.bin', 'page/entries.bin', 'page/proof.bin', 'page/note.txt'];
  for (const name of files.keys()) assert.ok([...judged, ...pages].includes(name), name);
  for (const name of judged) assert.ok(files.has(name), name);
  const readme = (files.get('README.txt') ?? '').toString();
  assert.match(readme, /What is not proven\n- /);
  assert.match(readme, /stigmem:\/\/victim\.example has recorded this evidence as audit record \d+/);
  if (!isFact) return;

  const held = Buffer.concat([...files].filter(([name]) => name !== 'verify.mjs').map(([, bytes]) => bytes)).toString();
  const evidence = JSON.parse((files.get('evidence.json') ?? '').toString());
  const decoded = held + Buffer.from(evidence.received.entry, 'base64').toString();
  const about = evidence.received.index;
  for (const { entry, index, salt } of lyingLog(one.peer as 'cid_mismatch').entries) {
    const given = [entry.fact_id, Buffer.from(salt).toString('base64')].some((text) => decoded.includes(text));
    assert.equal(given, index === about, `entry ${index}`);
  }
}

function cli(args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', cwd: tmpdir() });
}

function filesOf(tar: string): ReadonlyMap<string, Buffer> {
  const files = readTar(readFileSync(tar));
  assert.ok(files.ok, files.ok ? '' : files.error);
  return files.value;
}

async function unpack(files: ReadonlyMap<string, Buffer>, folder: string): Promise<void> {
  for (const [name, bytes] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-stranger-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** This one, and every other on the search path: a stranger has whichever there is. */
function nodesHere(): readonly string[] {
  const found = (process.env['PATH'] ?? '').split(delimiter).flatMap((folder) => {
    const program = join(folder, 'node');
    try {
      accessSync(program, constants.X_OK);
      return [realpathSync(program)];
    } catch {
      return [];
    }
  });
  return [...new Set([realpathSync(process.execPath), ...found])];
}
