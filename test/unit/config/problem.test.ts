/** Whoever wrote 20,000 characters where ten belong gets a line, and whoever wrote 100,000 lines gets the first of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../../src/config/config.ts';
import type { ConfigFlags, Environment } from '../../../src/config/overlay.ts';
import { readPeerFile } from '../../../src/config/peer-file.ts';
import { type ConfigProblem, problemText } from '../../../src/config/problem.ts';

const LONG = 'n'.repeat(20_000);
const MAX_PROBLEM_CHARS = 4_000;
const PEER_ID = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5';
const OTHER_ID = '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X';
const PEER = `node_id = "stigmem://globex.example"\npeer_id = "${PEER_ID}"\n`;
const CONFIG = 'node_id = "stigmem://acme.example"\n';

const folder = mkdtempSync(join(tmpdir(), 'stigmem-problem-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function isShort(problems: readonly ConfigProblem[]): void {
  assert.ok(problems.length > 0, 'it is refused');
  for (const problem of problems) {
    assert.ok(problemText(problem).length < MAX_PROBLEM_CHARS, problemText(problem).slice(0, 200));
    assert.ok((problem.key ?? '').length <= 120, problem.key ?? '');
  }
}

const PEER_FILES: Readonly<Record<string, string>> = {
  'an unknown key': `${PEER}${LONG} = 1`,
  'an unknown key of a section': `${PEER}[limits]\n${LONG} = 1`,
  'an unknown section': `${PEER}[${LONG}]\nx = 1`,
  'an unknown key of a grant': `${PEER}share = [{ feed = "public", ${LONG} = 1 }]`,
  'a feed': `${PEER}share = ["${LONG}"]`,
  'a value of another kind': `${PEER}disabled = "${LONG}"`,
  'a node id': `node_id = "${LONG}"\npeer_id = "${PEER_ID}"`,
  'a host of an address': `${PEER}addresses = ["/dns4/${LONG}/tcp/1"]`,
  'a protocol of an address': `${PEER}addresses = ["/ip4/127.0.0.1/tcp/1/${LONG}"]`,
  'an address with another peer id': `${PEER}addresses = ["/ip6/fe80::1%${LONG}/tcp/1/p2p/${OTHER_ID}"]`,
  'a namespace': `${PEER}namespaces = ["${LONG}"]`,
  'a log key': `${PEER}log_key = "${LONG} "`,
  'an unknown word of a policy': `${PEER}policy.witnesses = "${LONG}"`,
  'an undefined member of a policy': `${PEER}policy.witnesses = "group g any ${LONG}"`,
  'an undefined quorum': `${PEER}policy.witnesses = "quorum ${LONG}"`,
  'a path of a trust root': `${PEER}policy.anchors = ["rekor"]\npolicy.anchor_trust_root = "${LONG}"`,
  'a line that is no TOML': `${PEER}${LONG} ${LONG}`,
  'a key twice': `${PEER}${LONG} = 1\n${LONG} = 2`,
};

for (const [what, text] of Object.entries(PEER_FILES)) {
  test(`a peer file: ${what} of 20,000 characters is cut`, () => {
    const path = join(folder, 'globex.toml');
    writeFileSync(path, text);
    const read = readPeerFile(path);
    isShort(read.ok ? [] : read.error);
  });
}

/** What is wrong, and where it was written. */
const CONFIGS: Readonly<Record<string, readonly [text: string, env: Environment, flags: ConfigFlags]>> = {
  'an unknown key': [`${LONG} = 1`, {}, {}],
  'an unknown key of a section': [`[api]\n${LONG} = 1`, {}, {}],
  'a value': [`gardens = ["${LONG}"]`, {}, {}],
  'a host reached from elsewhere': [`[api]\nhost = "${LONG}"`, {}, {}],
  'a path of a policy': [`[witness]\npolicy_file = "${LONG}"`, {}, {}],
  'an unknown variable': ['', { [`STIGMEM_PEERD_${LONG}`]: '1' }, {}],
  'a value of a variable': ['', { STIGMEM_PEERD_API_PORT: LONG }, {}],
  'an unknown flag': ['', {}, { [LONG]: '1' }],
  'a value of a flag': ['', {}, { 'log.level': LONG }],
};

for (const [what, [text, env, flags]] of Object.entries(CONFIGS)) {
  test(`the configuration: ${what} of 20,000 characters is cut`, () => {
    writeFileSync(join(folder, 'config.toml'), `${CONFIG}${text}\n`);
    const loaded = loadConfig(folder, env, flags);
    isShort(loaded.ok ? [] : loaded.error.problems);
  });
}

const MAX_TOLD = 50;

/** Files of nearly 1 MiB with a fault in each line. */
const FAULTS = 80_000;
const LINES = Array.from({ length: FAULTS }, (_, i) => `k${i} = 1`).join('\n');
const MANY: Readonly<Record<string, readonly [text: string, firstKey: string]>> = {
  'unknown keys': [LINES, 'k0'],
  'unknown keys of a section': [`[limits]\n${LINES}`, 'limits.k0'],
};

for (const [what, [text, firstKey]] of Object.entries(MANY)) {
  test(`a peer file: the first of ${FAULTS} ${what} are told, the others counted`, () => {
    const path = join(folder, 'globex.toml');
    writeFileSync(path, `${PEER}${text}\n`);
    const read = readPeerFile(path);
    areFew(read.ok ? [] : read.error, firstKey);
  });

  test(`the configuration: the first of ${FAULTS} ${what} are told, the others counted`, () => {
    writeFileSync(join(folder, 'config.toml'), `${CONFIG}${text}\n`);
    const loaded = loadConfig(folder, {}, {});
    areFew(loaded.ok ? [] : loaded.error.problems, firstKey);
  });
}

function areFew(problems: readonly ConfigProblem[], firstKey: string): void {
  isShort(problems);
  assert.equal(problems.length, MAX_TOLD + 1);
  assert.equal(problems[0]?.key, firstKey);
  assert.equal(problems.at(-1)?.message, `${FAULTS - MAX_TOLD} more problems, of ${FAULTS} in this file`);
}

test('a fault more than are told is counted, one fewer is not, and the order is that of the file', () => {
  for (const count of [MAX_TOLD, MAX_TOLD + 1]) {
    const keys = Array.from({ length: count - 1 }, (_, i) => `k${i} = 1`).join('\n');
    const path = join(folder, 'globex.toml');
    writeFileSync(path, `${PEER}${keys}\ndisabled = 1\n`);
    const read = readPeerFile(path);
    assert.ok(!read.ok);
    const all = [...Array.from({ length: count - 1 }, (_, i) => `k${i}`), 'disabled'];
    const told = read.error.map(({ key }) => key);
    assert.deepEqual(told, count > MAX_TOLD ? [...all.slice(0, MAX_TOLD), null] : all);
  }
});
