/** One setting is changed, and nothing else: comments and other lines stay to the byte; what is wrong is not written. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { editSetting } from '../../../src/config/edit-setting.ts';
import { SETTINGS, type SettingInfo } from '../../../src/config/settings.ts';
import { renderConfig } from '../../../src/config/template.ts';
import { parseTomlText } from '../../../src/config/toml-file.ts';
import { type CliFixture, createCliFixture, NODE_ID } from '../../support/cli-fixture.ts';

let cli: CliFixture;
let path = '';
before(async () => {
  cli = await createCliFixture();
  path = dataPaths(cli.dir).config;
});
after(() => cli.close());

function named(key: string): SettingInfo {
  return SETTINGS.find((one) => one.key === key) ?? assert.fail(key);
}

function edit(text: string, key: string, value: unknown): string | null {
  return editSetting(text, named(key), value)?.text ?? null;
}

/** Lines that differ. */
function changed(one: string, two: string): readonly string[] {
  const lines = one.split('\n');
  return two.split('\n').filter((line, i) => line !== lines[i]);
}

test('every setting of a new node is changed in its own line, and no other', () => {
  const text = renderConfig(NODE_ID);
  const values = { integer: 7, boolean: true, list: ['a"b', "c'd", 'e#f'], text: 'x # "y" \\ \u007f ü' } as const;
  const tried = SETTINGS.map((setting) => {
    const value = setting.kind in values ? values[setting.kind as keyof typeof values] : 'x';
    const edited = editSetting(text, setting, value);
    assert.ok(edited, setting.key);
    const lines = changed(text, edited.text);
    assert.ok(lines.length <= 1, `${setting.key}: ${lines.join(' | ')}`);
    assert.equal(edited.text.split('\n')[edited.line - 1]?.split(' ')[0], setting.name);
    return setting.key;
  });
  assert.ok(tried.length > 60);
});

test('a comment behind a value stays, and # in a text is none', () => {
  assert.equal(edit('[api]\nport = 1 # ours\n', 'api.port', 2), '[api]\nport = 2 # ours\n');
  assert.equal(edit('[api]\r\nhost = "a#b"\t# "c"\r\n', 'api.host', 'd'), '[api]\r\nhost = "d"\t# "c"\r\n');
  assert.equal(edit('gardens = ["a", "b#"] # c\n', 'gardens', ['x']), 'gardens = ["x"] # c\n');
});

test('what is not there is added: below its section, in a section of its own, above all sections', () => {
  assert.equal(edit('[api]\nhost = "a"\n[log]\n', 'api.port', 2), '[api]\nport = 2\nhost = "a"\n[log]\n');
  assert.equal(edit('node_id = "x"\n', 'api.port', 2), 'node_id = "x"\n\n[api]\nport = 2\n');
  assert.equal(edit('# c\n[api]\nport = 1\n', 'gardens', []), '# c\ngardens = []\n[api]\nport = 1\n');
});

test('another form is left alone: nothing else may change with it', () => {
  for (const text of [
    'gardens = [\n  "a",\n]\n',
    'api.port = 1\n',
    'api = { port = 1 }\n',
    '[log]\nlevel = """\n[api]\nport = 1\n"""\n',
    'broken = \n',
  ]) {
    const key = text.startsWith('gardens') ? 'gardens' : 'api.port';
    const edited = edit(text, key, key === 'gardens' ? ['b'] : 2);
    if (edited === null) continue;
    const [one, two] = [parseTomlText('', text), parseTomlText('', edited)];
    assert.ok(one.ok && two.ok, edited);
    assert.deepEqual({ ...two.value.tree, api: undefined }, { ...one.value.tree, api: undefined }, edited);
  }
  assert.equal(edit('gardens = [\n  "a",\n]\n', 'gardens', ['b']), null);
  assert.equal(edit('api = { port = 1 }\n', 'api.port', 2), null);
});

test('on the command line: the line, when it holds, and the mode of the file stays', async () => {
  const before = readFileSync(path, 'utf8');
  chmodSync(path, 0o640);
  const ran = await cli.run('config set api.port 9000');
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /config\.toml:\d+: port = 9000\nIt holds at the next start of the daemon\.\n$/);
  assert.deepEqual(changed(before, readFileSync(path, 'utf8')), ['port = 9000']);
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.match((await cli.run('config set api.port 9000')).stdout, /It stood there already/);
  const { code, json } = await cli.run('config set gardens incident-42,red-team --json');
  assert.deepEqual([code, json().changed, json().settings[0].key], [0, true, 'gardens']);
  assert.match(readFileSync(path, 'utf8'), /^gardens = \["incident-42", "red-team"\]$/m);
  const env = { STIGMEM_PEERD_API_PORT: '9001' };
  assert.match(
    (await cli.run('config set api.port 9002', { env })).stderr,
    /STIGMEM_PEERD_API_PORT wins over the file/,
  );
});

test('what config check would refuse is not written, in its words', async () => {
  const before = readFileSync(path, 'utf8');
  for (const [args, code, words] of [
    ['api.port 70000', 1, /config\.toml:\d+: .*65535/],
    ['api.port many', 1, /config\.toml:\d+: api\.port: expected .*got "many"[\s\S]*Nothing was written/],
    ['api.prot 1', 3, /there is no setting "api\.prot"\nDid you mean api\.port\?/],
    ['node_id stigmem://other.example', 1, /it was settled by init/],
    ['api.port 1 api.host', 2, /expected a value behind each setting, got none behind "api\.host"/],
    ['api.tls_cert_file cert.pem', 1, /tls_key_file/],
    ['listen.p2p [/ip4/127.0.0.1/tcp/1]', 1, /Give a list without brackets and quotes/],
  ] as const) {
    const ran = await cli.run(`config set ${args}`);
    assert.deepEqual([ran.code, words.test(ran.stderr)], [code, true], `${args}: ${ran.stderr}`);
  }
  assert.equal(readFileSync(path, 'utf8'), before);
  writeFileSync(path, `${before}\nunknown_key = 1\n`);
  const other = await cli.run('config set log.level debug');
  assert.deepEqual([other.code, /unknown_key/.test(other.stderr)], [1, true], other.stderr);
  assert.equal(readFileSync(path, 'utf8'), `${before}\nunknown_key = 1\n`);
});

test('settings that only make sense together are set together', async () => {
  writeFileSync(path, renderConfig(NODE_ID));
  const ran = await cli.run('config set api.tls_cert_file tls/cert.pem api.tls_key_file tls/key.pem');
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /: tls_cert_file = "tls\/cert\.pem"\n.*: tls_key_file = "tls\/key\.pem"\nIt holds /);
});

test('the file of another account is not made one of this', async (t) => {
  writeFileSync(path, renderConfig(NODE_ID));
  const own = process.getuid?.() ?? 0;
  t.mock.method(process as { getuid(): number }, 'getuid', () => own + 1);
  const ran = await cli.run('config set api.port 9000');
  assert.deepEqual([ran.code, /belongs to account \d+, and this is \d+/.test(ran.stderr)], [1, true], ran.stderr);
  assert.equal(readFileSync(path, 'utf8'), renderConfig(NODE_ID));
});
