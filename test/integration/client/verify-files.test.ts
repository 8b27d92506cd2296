/** `verify bundle` and `verify checkpoint`, and the one-file verifier: files from a real node, judged with nothing but keys. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CliFixture, createCliFixture } from '../../support/cli-fixture.ts';
import { type ClientNode, openClientNode } from '../../support/client-node.ts';

const VERIFIER = fileURLToPath(new URL('../../../src/client/verify-main.ts', import.meta.url));

let cli: CliFixture;
let node: ClientNode;
let folder: string;
let bundle: string;
let trusted: string;
before(async () => {
  [cli, node] = [await createCliFixture(), await openClientNode()];
  folder = mkdtempSync(join(tmpdir(), 'peerd-verify-'));
  const { id } = await node.client().assert({
    entity: 'stigmem://example/service/web',
    relation: 'ops:state',
    value: 'up',
    source: 'stigmem://example/agent/a',
    scope: 'public',
  });
  bundle = await (await node.api.send(`/v1/facts/${id}/proof`, { as: 'ro' })).text();
  trusted = `${node.api.nodeId}=${node.api.base.peerId}`;
});
after(async () => {
  await Promise.all([cli.close(), node.close()]);
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('a bundle of a node that is trusted', async () => {
  const ran = await cli.runBare(['verify', 'bundle', file('b.json', bundle), '--node', trusted]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /^verified/);
  assert.match(ran.stdout, /entry 1 of 1/);
});

test('a bundle in which one word was changed: not verified, and why', async () => {
  const path = file('forged.json', bundle.replace('\\"value_v\\":\\"up\\"', '\\"value_v\\":\\"no\\"'));
  const ran = await cli.runBare(['verify', 'bundle', path, '--node', trusted, '--json']);
  assert.deepEqual([ran.code, ran.json().verified, ran.json().code], [4, false, 'inclusion_proof_invalid']);
});

test('a checkpoint by the declaration of its node; by another node’s not', async () => {
  const note = await (await node.api.send('/v1/journal/checkpoint', { as: 'ro' })).text();
  const { declaration } = JSON.parse(bundle) as { declaration: string };
  const args = ['verify', 'checkpoint', file('c.txt', note), '--declaration', file('d.txt', declaration), '--json'];
  const ran = await cli.runBare([...args, '--node', trusted]);
  assert.deepEqual([ran.code, ran.json().checkpoint?.size], [0, 1], ran.stdout);
  const other = await cli.runBare([...args, '--node', `stigmem://other.example=${node.api.base.peerId}`]);
  assert.deepEqual([other.code, other.json().code], [4, 'checkpoint_origin_unknown']);
});

test('what cannot be begun says what to do', async () => {
  const path = file('b2.json', bundle);
  for (const [args, code, said] of [
    [['verify', 'bundle', path], 2, /--log-key/],
    [['verify', 'bundle', path, '--node', 'nonsense'], 2, /node id/],
    [['verify', 'bundle', join(folder, 'none'), '--node', trusted], 3, /expected a file/],
    [['verify', 'bundle', path, '--node', trusted, '--trust-root', path], 2, /trusted root/],
    [['verify', 'anchor', path, '--node', trusted], 4, /anchor receipt/],
  ] as const) {
    const ran = await cli.runBare([...args]);
    assert.equal(ran.code, code, args.join(' '));
    assert.match(ran.stdout + ran.stderr, said);
  }
});

function verifier(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [VERIFIER, ...args], { encoding: 'utf8' });
}

test('the one-file verifier says of a bundle and a checkpoint what the command line says', async () => {
  const { declaration } = JSON.parse(bundle) as { declaration: string };
  const note = await (await node.api.send('/v1/journal/checkpoint', { as: 'ro' })).text();
  const forged = bundle.replace('\\"value_v\\":\\"up\\"', '\\"value_v\\":\\"no\\"');
  const keys = ['--node', trusted];
  const beside = [...keys, '--declaration', file('d2.txt', declaration)];
  for (const [kind, path, given] of [
    ['bundle', file('good.json', bundle), keys],
    ['bundle', file('bad.json', forged), keys],
    ['checkpoint', file('good.txt', note), beside],
    ['checkpoint', file('foreign.txt', note), [...beside, '--policy', file('p.txt', 'quorum none\n')]],
    ['checkpoint', file('bad.txt', note.replace('\n1\n', '\n2\n')), beside],
  ] as const) {
    const ran = await cli.runBare(['verify', kind, path, ...given]);
    const alone = verifier(...given, path);
    assert.deepEqual([alone.status, alone.stderr], [ran.code, ''], path);
    assert.deepEqual(words(alone.stdout), words(ran.stdout), path);
    const json = JSON.parse(verifier('--json', ...given, path).stdout);
    const byCommand = (await cli.runBare(['verify', kind, path, ...given, '--json'])).json();
    assert.deepEqual(json, { file: path, kind, ...byCommand });
  }
});

/** Without the padding, and the dash of an empty cell. */
function words(text: string): readonly string[] {
  return text.replaceAll('–', '-').split(/\s+/);
}

test('the one-file verifier does not judge by keys that it was not given, and says what is wrong with others', () => {
  const path = file('b3.json', bundle);
  for (const [args, status, said] of [
    [[path], 2, /NOT JUDGED: this is a fact bundle.*--log-key/s],
    [['--log-key', 'nonsense', path], 2, /expected the verifier key of a log/],
    [['--node', trusted, '--policy', join(folder, 'none'), path], 2, /expected a file/],
    [['--no-such', path], 2, /--no-such.*usage:/s],
    [['--node', trusted], 2, /expected a file/],
    [['--node', trusted, file('r.json', '{"backend":"rekor","checkpoint":""}')], 4, /expected an anchor receipt/],
    [['--node', trusted, file('other.json', '{"kind":"else"}'), path], 2, /INVALID.*verified/s],
  ] as const) {
    const ran = verifier(...args);
    assert.equal(ran.status, status, args.join(' '));
    assert.match(ran.stdout + ran.stderr, said);
  }
});
