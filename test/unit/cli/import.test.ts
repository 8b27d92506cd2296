import assert from 'node:assert/strict';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { importStatePath } from '../../../src/cli/import-state.ts';
import { MAX_LINE_BYTES, readLines } from '../../../src/cli/line-reader.ts';
import { type CliFixture, createCliFixture } from '../../support/cli-fixture.ts';

let cli: CliFixture;
let file: string;
beforeEach(async () => {
  cli = await createCliFixture();
  file = join(cli.dir, 'facts.jsonl');
});
afterEach(() => cli.close());

const fact = (number: number, more: object = {}): string =>
  JSON.stringify({
    entity: `e:${number}`,
    relation: 'r:r',
    value: { type: 'number', v: number },
    source: 's',
    scope: 'public',
    ...more,
  });
const lines = (count: number): string => Array.from({ length: count }, (_, index) => `${fact(index)}\n`).join('');
const stateFiles = (): string[] => readdirSync(join(cli.dir, 'run')).filter((name) => name.startsWith('import-'));
const batches = (): number => cli.requests.filter((request) => request === 'POST /v1/facts').length;

test('imports a file in batches of 500 and leaves no state behind', async () => {
  writeFileSync(file, lines(1_201));
  const { code, json } = await cli.run(`import ${file} --json`);
  assert.equal(code, 0);
  assert.deepEqual(json(), { file, complete: true, lines: 1_201, stored: 1_201, repeated: 0, bad: 0, bad_lines: [] });
  assert.equal(batches(), 3);
  assert.deepEqual(stateFiles(), []);
  assert.equal((await cli.run('query --json')).json().total, 1_201);
});

test('imports from standard input, whatever the chunks', async () => {
  const { code, stdout } = await cli.run('import -', { stdin: lines(700) });
  assert.equal(code, 0);
  assert.equal(stdout, 'imported: 700 lines: 700 stored, 0 known already, 0 bad\n');
});

test('importing again changes nothing', async () => {
  writeFileSync(file, lines(10));
  await cli.run(`import ${file}`);
  const again = await cli.run(`import ${file} --json`);
  assert.equal(again.code, 0);
  assert.deepEqual([again.json().stored, again.json().repeated], [0, 10]);
});

test('each bad line is reported with its number and reason, in order, and the rest is imported', async () => {
  const text = [
    fact(1),
    'not json',
    '',
    '[1]',
    fact(2, { scope: 'all' }),
    fact(3, { confidence: 2 }),
    JSON.stringify({ relation: 'r' }),
    fact(4, { value: { type: 'text', v: '\ud800' } }),
    '   ',
    fact(5),
  ].join('\n');
  writeFileSync(file, Buffer.concat([Buffer.from(`${text}\n`), Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from(fact(6))]));
  const { code, stderr, json } = await cli.run(`import ${file} --json`);
  assert.equal(code, 1);
  assert.deepEqual([json().lines, json().stored, json().bad], [12, 3, 7]);
  assert.deepEqual(
    json().bad_lines.map(({ line }: { line: number }) => line),
    [2, 4, 5, 6, 7, 8, 11],
  );
  const said = stderr.split('\n').map((line) => line.replace(`${file}:`, ''));
  assert.match(said[0] ?? '', /^2: expected .*, got .*\(column \d+\)$/);
  assert.equal(said[1], '4: expected a JSON object, one assert request per line');
  assert.match(said[2] ?? '', /^5: scope/);
  assert.match(said[3] ?? '', /^6: confidence/);
  assert.match(said[4] ?? '', /^7: entity: Field required/);
  assert.match(said[5] ?? '', /^8: value/);
  assert.match(said[6] ?? '', /^11: expected UTF-8 text, got other bytes$/);
});

test('a number in a file is the fact it was written as', async () => {
  const text =
    '{"entity":"e:1","relation":"r:r","value":{"type":"number","v":9007199254740993},"source":"s","scope":"public"}';
  await cli.run('import -', { stdin: `${text}\n${text.replace('9007199254740993', '1.0')}` });
  const { stdout } = await cli.run('query --include-contradicted --json');
  assert.ok(stdout.includes('"v":9007199254740993') && stdout.includes('"v":1.0'), stdout);
});

test('a line that is too long is passed, and is never held', async () => {
  writeFileSync(file, `${fact(1)}\n${'x'.repeat(MAX_LINE_BYTES + 10)}\n${fact(2)}\n`);
  const { code, stderr, json } = await cli.run(`import ${file} --json`);
  assert.equal(code, 1);
  assert.equal(json().stored, 2);
  assert.match(stderr, new RegExp(`:2: expected at most ${MAX_LINE_BYTES} bytes, got ${MAX_LINE_BYTES + 11}`));
});

test('stopped halfway, the same command goes on where it was', async () => {
  writeFileSync(file, lines(1_600));
  let sent = 0;
  const open = cli.node.openOffline;
  cli.node.openOffline = async (dir) => {
    const offline = await open(dir);
    return {
      ...offline,
      fetch: async (request) => {
        // The node dies in the third batch.
        if (++sent === 3) throw new Error('connection lost');
        return offline.fetch(request);
      },
    };
  };
  const first = await cli.run(`import ${file}`);
  assert.equal(first.code, 1);
  assert.match(first.stderr, /connection lost/);
  assert.equal(stateFiles().length, 1);
  assert.equal(JSON.parse(readFileSync(importStatePath(cli.dir, file), 'utf8')).line, 1_000);

  cli.node.openOffline = open;
  cli.requests.length = 0;
  const second = await cli.run(`import ${file} --json`);
  assert.equal(second.code, 0);
  assert.match(second.stderr, /Going on after line 1000 \(--restart begins at line 1\)\./);
  assert.deepEqual([second.json().lines, second.json().stored, second.json().repeated], [1_600, 1_600, 0]);
  assert.equal(batches(), 2);
  assert.deepEqual(stateFiles(), []);
});

test('--restart begins at line 1; another file of the same name is another file', async () => {
  writeFileSync(file, lines(10));
  writeFileSync(importStatePath(cli.dir, file), '{"line":5,"stored":5,"repeated":0,"bad":0}');
  assert.equal((await cli.run(`import ${file} --restart --json`)).json().stored, 10);
  writeFileSync(importStatePath(cli.dir, file), '{"line":5,"stored":5,"repeated":0,"bad":0}');
  writeFileSync(file, lines(11));
  assert.equal((await cli.run(`import ${file} --json`)).json().lines, 11);
});

test('a file that was edited, to the same length and far behind its beginning, begins anew', () => {
  writeFileSync(file, `${'x'.repeat(5_000)}\na`);
  const before = importStatePath(cli.dir, file);
  assert.equal(importStatePath(cli.dir, file), before);
  writeFileSync(file, `${'x'.repeat(5_000)}\nb`);
  utimesSync(file, 1, 1);
  assert.notEqual(importStatePath(cli.dir, file), before);
});

for (const state of ['', '{', '{"line":-1,"stored":0,"repeated":0,"bad":0}', '{"line":"5"}', '[]']) {
  test(`a state file holding ${state} means the beginning`, async () => {
    writeFileSync(file, lines(3));
    writeFileSync(importStatePath(cli.dir, file), state);
    assert.equal((await cli.run(`import ${file} --json`)).json().stored, 3);
  });
}

test('Ctrl-C stops between batches, says how far it came, and exits with 130', async () => {
  writeFileSync(file, `not json\n${lines(2_000)}`);
  const stopped = await cli.run(`import ${file} --json`, { signals: ['SIGINT'] });
  assert.equal(stopped.code, 130);
  assert.equal(stopped.json().complete, false);
  assert.ok(stopped.json().lines < 2_001);
  const rest = await cli.run(`import ${file} --json`);
  assert.equal(rest.json().stored, 2_000);
});

test('a node that is busy is asked again', async () => {
  writeFileSync(file, lines(3));
  const open = cli.node.openOffline;
  let refusals = 0;
  cli.node.openOffline = async (dir) => {
    const offline = await open(dir);
    return {
      ...offline,
      fetch: async (request) => {
        if (refusals++ < 2)
          return Response.json({ detail: 'busy' }, { status: 503, headers: { 'retry-after': '0.1' } });
        return offline.fetch(request);
      },
    };
  };
  const { code, json } = await cli.run(`import ${file} --json`);
  assert.equal(code, 0);
  assert.equal(json().stored, 3);
});

test('Ctrl-C ends the waiting for a node that takes nothing', async () => {
  writeFileSync(file, lines(3));
  const open = cli.node.openOffline;
  const full = (): Response => Response.json({ detail: 'full' }, { status: 503, headers: { 'retry-after': '30' } });
  cli.node.openOffline = async (dir) => ({ ...(await open(dir)), fetch: async () => full() });
  const started = performance.now();
  const { code, json } = await cli.run(`import ${file} --json`, { signals: ['SIGINT'] });
  assert.equal(code, 130);
  assert.deepEqual([json().complete, json().lines, json().stored], [false, 0, 0]);
  assert.ok(performance.now() - started < 10_000, 'it waited all the same');
});

test('a batch refused as a whole names its lines and stops', async () => {
  writeFileSync(file, lines(3));
  cli.node.openOffline = async () => ({
    fetch: async () => Response.json({ detail: 'write permission required' }, { status: 403 }),
    close: async () => undefined,
  });
  const { code, stderr } = await cli.run(`import ${file}`);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /lines 1 to 3 were refused as a whole: write permission required\nEvery line before is stored\./,
  );
});

test('no such file: exit 3', async () => {
  const { code, stderr } = await cli.run('import nowhere.jsonl');
  assert.equal(code, 3);
  assert.match(stderr, /expected a readable file, got nowhere\.jsonl: ENOENT/);
});

test('an empty file is imported', async () => {
  writeFileSync(file, '');
  assert.deepEqual((await cli.run(`import ${file} --json`)).json().lines, 0);
});

test('on a terminal progress is drawn over itself, on standard error', async () => {
  writeFileSync(file, lines(1_600));
  const { stdout, stderr } = await cli.run(`import ${file}`, { isTTY: true, env: { NO_COLOR: '1' } });
  assert.match(stderr, /line 500 \(\d+ %\): 500 stored, 0 known already, 0 bad, \d+ facts\/s/);
  assert.ok(stderr.endsWith('\r\u001b[K'));
  assert.equal(stdout, 'imported: 1600 lines: 1600 stored, 0 known already, 0 bad\n');
});

test('lines are the same however the bytes are cut', async () => {
  const text = fc
    .array(fc.string({ unit: 'grapheme' }).map((part) => part.replaceAll('\n', ' ').replaceAll('\r', ' ')))
    .map((parts) => parts.join('\n'));
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 7 }), async (whole, step) => {
      const bytes = Buffer.from(whole);
      async function* chunks(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
      }
      const got: string[] = [];
      let size = 0;
      for await (const line of readLines(chunks())) {
        assert.equal(line.number, got.length + 1);
        got.push('text' in line ? line.text : line.fault);
        size += line.bytes;
      }
      const expected = whole.split('\n');
      if (expected.at(-1) === '') expected.pop();
      assert.deepEqual(
        got.map((line) => line.replace('\ufeff', '')),
        expected.map((line) => line.replace('\ufeff', '')),
      );
      assert.equal(size, bytes.length);
    }),
  );
});

test('Ctrl-C ends an import whose input is silent; a line that was read in part is none', async () => {
  const silent = Readable.from(
    (async function* () {
      yield Buffer.from(`not json\n${lines(500)}${fact(9).slice(0, 20)}`);
      await new Promise(() => {});
    })(),
  );
  const { code, json } = await cli.run('import - --json', { stdin: silent, signals: ['SIGINT'] });
  assert.equal(code, 130);
  assert.deepEqual([json().complete, json().stored, json().bad], [false, 500, 1]);
  assert.equal(silent.destroyed, true, 'nothing keeps the process');
});
