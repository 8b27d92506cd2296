import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { loadConfig } from '../../../src/config/config.ts';
import type { ConfigFlags, Environment } from '../../../src/config/overlay.ts';
import { problemText } from '../../../src/config/problem.ts';
import { SETTINGS } from '../../../src/config/settings.ts';
import { renderConfig } from '../../../src/config/template.ts';
import { parseTomlText } from '../../../src/config/toml-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'peerd-config-'));
after(() => rmSync(dir, { recursive: true }));
const path = join(dir, 'config.toml');
const NODE = 'node_id = "stigmem://acme.example"\n';

function load(text: string, env: Environment = {}, flags: ConfigFlags = {}) {
  writeFileSync(path, text);
  return loadConfig(dir, env, flags);
}

function problems(text: string, env: Environment = {}, flags: ConfigFlags = {}): string[] {
  const loaded = load(text, env, flags);
  assert.ok(!loaded.ok, 'was accepted');
  assert.equal(loaded.error.code, 'invalid');
  return loaded.error.problems.map((problem) => problemText(problem).replace(path, 'config.toml'));
}

function config(text: string, env: Environment = {}, flags: ConfigFlags = {}) {
  const loaded = load(text, env, flags);
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.error.problems.map(problemText).join('\n'));
  return loaded.value;
}

test('config.example.toml parses, equals the defaults and is what init writes', () => {
  const example = readFileSync('config.example.toml', 'utf8');
  assert.deepEqual(config(example), config(NODE));
  assert.equal(example, renderConfig('stigmem://acme.example'));
});

test('config.example.toml documents every setting with its variables', () => {
  const lines = readFileSync('config.example.toml', 'utf8').split('\n');
  for (const { name, env, section } of SETTINGS) {
    // Two sections may call a setting the same.
    const from = section === null ? 0 : lines.indexOf(`[${section}]`);
    const at = lines.findIndex((line, i) => i >= from && line.startsWith(`${name} = `));
    assert.ok(at > 0 && lines[at - 1]?.startsWith('# '), name);
    for (const variable of env) assert.ok(lines[at - 1]?.includes(variable), variable);
  }
});

test('the configuration is frozen all through', () => {
  const made = config(NODE);
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    ArrayBuffer.isView(value) ||
    (Object.isFrozen(value) && Object.values(value).every(frozen));
  assert.ok(frozen(made));
});

test('flags win over environment, environment over file, file over defaults', () => {
  const file = `${NODE}[api]\nport = 1\n`;
  const env = { STIGMEM_PEERD_API_PORT: '2' };
  assert.equal(config(NODE).api.port, 8765);
  assert.equal(config(file).api.port, 1);
  assert.equal(config(file, env).api.port, 2);
  assert.equal(config(file, env, { 'api.port': '3' }).api.port, 3);
});

test('our own variable wins over the reference’s name for the same setting', () => {
  assert.equal(config(NODE, { STIGMEM_PORT: '1' }).api.port, 1);
  assert.equal(config(NODE, { STIGMEM_PORT: '1', STIGMEM_PEERD_API_PORT: '2' }).api.port, 2);
});

test('the reference’s names set what they mean there', () => {
  const env = {
    STIGMEM_HOST: 'localhost',
    STIGMEM_NODE_URL: 'https://peerd.acme.example/',
    STIGMEM_FEDERATION_PULL_INTERVAL_S: '7',
    STIGMEM_FEDERATION_HLC_MAX_FUTURE_SKEW_S: '8',
    STIGMEM_FEDERATION_HLC_MAX_PAST_SKEW_S: '9',
    STIGMEM_TLS_CERT_PATH: 'cert.pem',
    STIGMEM_TLS_KEY_PATH: '/etc/key.pem',
  };
  const { api, federation } = config(NODE, env);
  assert.equal(api.host, 'localhost');
  assert.equal(api.nodeUrl, 'https://peerd.acme.example');
  assert.deepEqual(api.tls, { certFile: join(dir, 'cert.pem'), keyFile: '/etc/key.pem', minVersion: 'TLSv1.2' });
  assert.equal(federation.pollIntervalMs, 7_000);
  assert.equal(federation.maxFutureSkewMs, 8_000);
  assert.equal(federation.maxPastSkewMs, 9_000);
});

test('lists and booleans come from the environment as texts', () => {
  const env = { STIGMEM_PEERD_LISTEN_P2P: '/ip4/0.0.0.0/tcp/1, /ip6/::/tcp/2', STIGMEM_PEERD_API_BEHIND_PROXY: 'true' };
  assert.deepEqual(config(NODE, env).listen.p2p, ['/ip4/0.0.0.0/tcp/1', '/ip6/::/tcp/2']);
  assert.equal(config(NODE, env).api.behindProxy, true);
  assert.deepEqual(config(NODE, { STIGMEM_PEERD_LISTEN_P2P: '' }).listen.p2p, []);
});

test('partners of a node that listens on this machine alone may be there; those of any other may not', () => {
  const dialled = (p2p: string): number => config(NODE, { STIGMEM_PEERD_LISTEN_P2P: p2p }).network.dialled.length;
  assert.equal(dialled('/ip4/127.0.0.1/tcp/0, /ip6/::1/tcp/0'), 2);
  for (const p2p of ['', '/ip4/0.0.0.0/tcp/0', '/ip4/127.0.0.1/tcp/0, /ip4/192.0.2.1/tcp/0', '/dns4/localhost/tcp/0'])
    assert.equal(dialled(p2p), 0, p2p);
  assert.deepEqual(config(NODE).network.allowed, []);
});

test('gardens with members: a garden, then who belongs to it', () => {
  const text = `${NODE}garden_members = ["merger stigmem://b.example stigmem://c.example", "closed"]\n`;
  assert.deepEqual(config(text).gardenMembers, [
    ['merger', ['stigmem://b.example', 'stigmem://c.example']],
    ['closed', []],
  ]);
  assert.deepEqual(config(NODE, { STIGMEM_PEERD_GARDEN_MEMBERS: 'merger stigmem://b.example, closed' }).gardenMembers, [
    ['merger', ['stigmem://b.example']],
    ['closed', []],
  ]);
});

test('a folder without config.toml is told from one with a bad one, and init is named', () => {
  const loaded = loadConfig(join(dir, 'nobody'), {}, {});
  assert.ok(!loaded.ok);
  assert.equal(loaded.error.code, 'not_initialised');
  assert.match(loaded.error.problems.map(problemText).join(), /stigmem-peerd init --data .*nobody --node-id/);
});

const CASES: readonly { name: string; text: string; env?: Environment; flags?: ConfigFlags; says: string }[] = [
  {
    name: 'unknown key with a near one',
    text: `${NODE}[api]\nprot = 1\n`,
    says: 'config.toml:3: unknown key "api.prot". Did you mean "api.port"?',
  },
  {
    name: 'a known key in the wrong section',
    text: `${NODE}[log]\nport = 1\n`,
    says: 'config.toml:3: unknown key "log.port". Did you mean "api.port"?',
  },
  {
    name: 'an unknown key that resembles none',
    text: `${NODE}wibble_wobble = 1\n`,
    says: 'config.toml:2: unknown key "wibble_wobble". Remove it; config.example.toml lists all keys.',
  },
  {
    name: 'an unknown section',
    text: `${NODE}[federatoin]\npoll_interval_s = 1\n`,
    says: 'config.toml:2: unknown key "federatoin". Did you mean "federation"?',
  },
  {
    name: 'wrong type',
    text: `${NODE}[api]\nport = "8765"\n`,
    says: 'config.toml:3: api.port: expected a port from 0 to 65535 (0: any free one), got "8765". Correct the value.',
  },
  {
    name: 'out of range',
    text: `${NODE}[federation]\npoll_interval_s = 0\n`,
    says: 'config.toml:3: federation.poll_interval_s: expected seconds from 1 to 86400, got 0. Correct the value.',
  },
  {
    name: 'a value where a section belongs',
    text: `${NODE}api = 3\n`,
    says: 'config.toml:2: api: expected a section, written [api], got 3. Correct the value.',
  },
  {
    name: 'no node id',
    text: '[api]\nport = 1\n',
    says: 'config.toml: node_id: expected a node id such as "stigmem://acme.example", got nothing. Add it.',
  },
  {
    name: 'a node id in capitals',
    text: 'node_id = "stigmem://Acme.example"\n',
    says: 'config.toml:1: node_id: expected a node id such as "stigmem://acme.example", got "stigmem://Acme.example" (a node id is written in lower case). Correct the value.',
  },
  {
    name: 'a node id with another scheme',
    text: 'node_id = "https://acme.example"\n',
    says: 'config.toml:1: node_id: expected a node id such as "stigmem://acme.example", got "https://acme.example" (it does not start with stigmem://). Correct the value.',
  },
  {
    name: 'a node id with a path',
    text: 'node_id = "stigmem://acme.example/node"\n',
    says: 'config.toml:1: node_id: expected a node id such as "stigmem://acme.example", got "stigmem://acme.example/node" (behind stigmem:// stands a host name (letters, digits, hyphens, dots), an optional port and nothing else). Correct the value.',
  },
  {
    name: 'a multiaddr that is none',
    text: `${NODE}[listen]\np2p = ["127.0.0.1:4101"]\n`,
    says: 'config.toml:3: listen.p2p: expected a list of TCP multiaddrs such as ["/ip4/0.0.0.0/tcp/4101"], got "127.0.0.1:4101" (it starts with one of /ip4/ /ip6/ /dns/ /dns4/ /dns6/). Correct the value.',
  },
  {
    name: 'a multiaddr over another transport',
    text: `${NODE}[listen]\np2p = ["/ip4/127.0.0.1/udp/4101/quic-v1"]\n`,
    says: 'config.toml:3: listen.p2p: expected a list of TCP multiaddrs such as ["/ip4/0.0.0.0/tcp/4101"], got "/ip4/127.0.0.1/udp/4101/quic-v1" (behind the host stands /tcp/<port>: peers speak TCP). Correct the value.',
  },
  {
    name: 'an address with an impossible number',
    text: `${NODE}[listen]\np2p = ["/ip4/127.0.0.256/tcp/1"]\n`,
    says: 'config.toml:3: listen.p2p: expected a list of TCP multiaddrs such as ["/ip4/0.0.0.0/tcp/4101"], got "/ip4/127.0.0.256/tcp/1" (127.0.0.256 is no IPv4 address). Correct the value.',
  },
  {
    name: 'a port that is none in a multiaddr',
    text: `${NODE}[listen]\np2p = ["/ip4/127.0.0.1/tcp/70000"]\n`,
    says: 'config.toml:3: listen.p2p: expected a list of TCP multiaddrs such as ["/ip4/0.0.0.0/tcp/4101"], got "/ip4/127.0.0.1/tcp/70000" (70000 is no port). Correct the value.',
  },
  {
    name: 'off loopback without TLS',
    text: `${NODE}[api]\nhost = "0.0.0.0"\n`,
    says: 'config.toml:3: api.host: "0.0.0.0" can be reached from other machines, and keys would cross the network in the clear. Set api.tls_cert_file and api.tls_key_file, or api.behind_proxy = true if a proxy terminates TLS, or listen on 127.0.0.1.',
  },
  {
    name: 'off loopback without TLS, from the environment',
    text: NODE,
    env: { STIGMEM_HOST: '192.0.2.7' },
    says: 'environment variable STIGMEM_HOST: api.host: "192.0.2.7" can be reached from other machines, and keys would cross the network in the clear. Set api.tls_cert_file and api.tls_key_file, or api.behind_proxy = true if a proxy terminates TLS, or listen on 127.0.0.1.',
  },
  {
    name: 'half of a TLS pair',
    text: `${NODE}[api]\ntls_cert_file = "c.pem"\n`,
    says: 'config.toml:3: api.tls_cert_file is set and api.tls_key_file is not: HTTPS needs both. Set api.tls_key_file, or empty both.',
  },
  {
    name: 'a URL that is none',
    text: `${NODE}[api]\nnode_url = "acme.example"\n`,
    says: 'config.toml:3: api.node_url: expected a URL such as "https://peerd.acme.example", or "" for the address it listens on, got "acme.example" (it starts with http:// or https://). Correct the value.',
  },
  {
    name: 'a garden name that cannot be a feed’s',
    text: 'node_id = "stigmem://acme.example"\ngardens = ["ok", "Incident 42"]\n',
    says: 'config.toml:2: gardens: expected a list of garden names such as ["incident-42"], got "Incident 42" (a garden name is lower-case letters, digits, dots, hyphens, at most 64). Correct the value.',
  },
  {
    name: 'a member that is no node',
    text: `${NODE}garden_members = ["merger b.example"]\n`,
    says: 'config.toml:2: garden_members: expected a list such as ["incident-42 stigmem://globex.example stigmem://initech.example"], got "merger b.example" ("b.example" is no node id). Correct the value.',
  },
  {
    name: 'two lists for one garden',
    text: `${NODE}garden_members = ["merger", "merger stigmem://b.example"]\n`,
    says: 'config.toml:2: garden_members: expected each garden once, got merger twice. Write its members into one text.',
  },
  {
    name: 'text that is not TOML',
    text: `${NODE}[api]\nport = eight\n`,
    says: 'config.toml:3: expected TOML, got "port = eight" (invalid value). Mend this line; texts need quotes, lists need [ ].',
  },
  {
    name: 'a variable of ours that sets nothing',
    text: NODE,
    env: { STIGMEM_PEERD_API_PROT: '1' },
    says: 'environment variable STIGMEM_PEERD_API_PROT: no setting has this variable. Did you mean STIGMEM_PEERD_API_PORT? Rename or unset it.',
  },
  {
    name: 'a variable with the wrong type',
    text: NODE,
    env: { STIGMEM_PORT: 'http' },
    says: 'environment variable STIGMEM_PORT: api.port: expected a port from 0 to 65535 (0: any free one), got "http". Correct the value.',
  },
  {
    name: 'the node id from the environment',
    text: NODE,
    env: { STIGMEM_PEERD_NODE_ID: 'stigmem://evil.example' },
    says: 'environment variable STIGMEM_PEERD_NODE_ID: the node id cannot come from the environment. Unset it; who a node is was settled by init.',
  },
  {
    name: 'a flag for a setting there is none of',
    text: NODE,
    flags: { 'api.prot': '1' },
    says: 'flag --set api.prot: unknown setting "api.prot". Did you mean api.port?',
  },
  {
    name: 'a flag with the wrong type',
    text: NODE,
    flags: { 'log.level': 'loud' },
    says: 'flag --set log.level: log.level: expected one of "fatal", "error", "warn", "info", "debug", "trace", got "loud". Correct the value.',
  },
  {
    name: 'the node id from a flag',
    text: NODE,
    flags: { node_id: 'stigmem://evil.example' },
    says: 'flag --set node_id: the node id cannot be set by a flag. Leave it out; it was settled by init.',
  },
];

for (const { name, text, env, flags, says } of CASES) {
  test(`refuses ${name}`, () => assert.deepEqual(problems(text, env, flags), [says]));
}

test('reports every problem at once', () => {
  assert.equal(problems(`${NODE}[api]\nport = -1\nhots = "x"\n`, { STIGMEM_PEERD_X: '1' }).length, 3);
});

test('off loopback is fine with a certificate or a proxy', () => {
  assert.equal(config(`${NODE}[api]\nhost = "0.0.0.0"\nbehind_proxy = true\n`).api.behindProxy, true);
  assert.notEqual(config(`${NODE}[api]\nhost = "::"\ntls_cert_file = "c"\ntls_key_file = "k"\n`).api.tls, null);
});

for (const host of ['127.0.0.1', '127.8.9.1', '::1', '[::1]', 'localhost', 'LOCALHOST']) {
  test(`${host} is loopback`, () => assert.equal(config(`${NODE}[api]\nhost = "${host}"\n`).api.host, host));
}
for (const host of ['0.0.0.0', '::', '10.0.0.1', 'acme.example', '127.acme.example', 'localhost.acme.example']) {
  test(`${host} is not loopback`, () => assert.equal(problems(`${NODE}[api]\nhost = "${host}"\n`).length, 1));
}

test('a file of a size that is no configuration is refused unread', () => {
  const [said] = problems(`${NODE}#${'x'.repeat(1_100_000)}\n`);
  assert.match(said ?? '', /expected at most 1048576 bytes, got 11000\d\d/);
});

test('bytes that are not UTF-8 are refused', () => {
  writeFileSync(path, Buffer.from([0x61, 0xff]));
  const loaded = loadConfig(dir, {}, {});
  assert.ok(!loaded.ok);
  assert.match(loaded.error.problems.map(problemText).join(), /expected UTF-8 text, got other bytes/);
});

test('no text makes the parser throw or answer with anything but a tree or a problem', () => {
  const piece = fc.constantFrom(
    '[',
    ']',
    '=',
    '"',
    "'",
    '\n',
    '#',
    'a',
    '1',
    '.',
    '{',
    '}',
    ',',
    '\\',
    '__proto__',
    'node_id',
    ' ',
    'T',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(piece).map((parts) => parts.join('')),
      ),
      (text) => {
        const parsed = parseTomlText('f', text);
        assert.equal(typeof parsed.ok, 'boolean');
        if (parsed.ok) load(text);
      },
    ),
    { numRuns: 500 },
  );
});
