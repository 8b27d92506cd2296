/** What deploy/ holds, judged by the programs that it is for, and run as far as a machine without a cluster can. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { selfSigned } from '../support/self-signed.ts';
import { goProgram } from './programs/go-program.ts';
import { type Podman, podmanFor } from './programs/podman.ts';
import { deployTools } from './programs/python.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEPLOY = join(ROOT, 'deploy');
const FLOWS_MS = 60_000;
const LOOK_EVERY_MS = 250;
/** For one answer of a probe. */
const ANSWER_MS = 15_000;
/** Of the image. */
const USER = 65_532;
const run = promisify(execFile);
const tools = await deployTools();
const podman = podmanFor({ after });

await podman.exec(join(DEPLOY, 'container', 'rootfs.sh'), [join(podman.folder, 'image')]);
const containerfile = join(DEPLOY, 'container', 'Containerfile');
await podman.podman('build', '--quiet', '-t', 'stigmem-peerd', '-f', containerfile, join(podman.folder, 'image'));

test('hadolint has nothing to say of the image, actionlint nothing of the release', async () => {
  const [, hadolint] = tools('hadolint');
  await run(hadolint, [containerfile]);
  const { path } = await goProgram('actionlint');
  await run(path, [join(ROOT, '.github', 'workflows', 'release.yml')]);
});

test('no job of the release that may sign or publish runs what tests install', () => {
  const text = readFileSync(join(ROOT, '.github', 'workflows', 'release.yml'), 'utf8');
  const jobs = text
    .slice(text.indexOf('\njobs:\n'))
    .split(/^ {2}(?=[\w-]+:$)/m)
    .slice(1);
  const signing = jobs.filter((job) => /id-token: write|contents: write|packages: write/.test(job));
  assert.deepEqual([jobs.length, signing.length], [2, 1]);
  for (const job of signing) {
    assert.doesNotMatch(job, /\.ci\/run|npm (run (--silent )?)?test|npm ci(?! --ignore-scripts)/);
    assert.match(job, /^ {4}needs: test$/m);
  }
  assert.match(jobs.find((job) => job.includes('.ci/run')) ?? '', /^test:\n[\s\S]*permissions:\n {6}contents: read\n/);
});

test('the Node.js of the release is the one whose hash is checked in, or there is none', async () => {
  const folder = join(podman.folder, 'pinned-node');
  mkdirSync(join(folder, '.ci'), { recursive: true });
  for (const file of ['package.json', '.ci/pinned-node', '.ci/pinned-node.sha512'])
    cpSync(join(ROOT, file), join(folder, file));
  const sums = join(folder, '.ci', 'pinned-node.sha512');
  const right = readFileSync(sums, 'utf8');
  const there = join(folder, 'node_modules', 'node', 'bin', 'node');
  writeFileSync(sums, right.replace(/^[0-9a-f]{8}/, '00000000'));
  await assert.rejects(run(join(folder, '.ci', 'pinned-node')), /did NOT match/);
  assert.equal(existsSync(there), false);
  writeFileSync(sums, right);
  const { stdout } = await run(join(folder, '.ci', 'pinned-node'));
  assert.equal(stdout, `${process.version}\n`);
  assert.deepEqual(readFileSync(there), readFileSync(process.execPath));
  const release = readFileSync(join(ROOT, '.github', 'workflows', 'release.yml'), 'utf8');
  assert.match(release, /npm ci --ignore-scripts\n {10}\.ci\/pinned-node\n/);
  assert.doesNotMatch(release, /npm rebuild|npm install/);
});

test('promtool and amtool take what is for Prometheus and Alertmanager', async () => {
  const folder = join(podman.folder, 'prometheus');
  cpSync(join(DEPLOY, 'prometheus'), folder, { recursive: true });
  const file = join(folder, 'prometheus.yml');
  const token = join(folder, 'stigmem-peerd.token');
  writeFileSync(token, 'token\n');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/\/etc\/prometheus\/\S+\.token/, token));
  const { stdout } = await run('promtool', ['check', 'config', file]);
  assert.match(stdout, /SUCCESS: \d+ rules found/);
  await run('amtool', ['check-config', join(DEPLOY, 'alertmanager', 'alertmanager.yml')]);
});

test('three organisations with compose: two become partners, and a fact of one is at the other', async (t) => {
  const compose = new Compose(t);
  await compose.up();
  assert.match(await compose.run('acme', 'status'), /^node +stigmem:\/\/acme\.example$/m);
  const until = ['--share', 'public', '--accept', 'public', '--until', '2099-12-31'];
  const { code } = JSON.parse(await compose.run('acme', 'peer', 'invite', ...until, '--json')) as { code: string };
  // Without a terminal the words are what the partner reads out; here they are taken from its screen.
  const there = await compose.run('globex', 'peer', 'join', code);
  const words = [...there.matchAll(/\d+ ([a-z]+)/g)].slice(-12).map(([, word]) => word);
  assert.equal(words.length, 12, there);
  await compose.run('acme', 'peer', 'confirm', 'globex', '--words', words.join(' '));
  await compose.run('globex', 'peer', 'confirm', 'acme', '--words', words.join(' '));
  const fact = ['--entity', 'stigmem://acme.example/host/web1', '--relation', 'acme:status', '--value', 'up'];
  await compose.run('acme', 'assert', ...fact, '--scope', 'public');
  const query = await eventually(
    () => compose.run('globex', 'query'),
    (text) => text.includes('acme:status'),
  );
  assert.match(query, /stigmem:\/\/acme\.example\/host\/web1/);
  assert.doesNotMatch(await compose.run('initech', 'query'), /acme:status/);

  // Nothing of the system is writable, nothing can be gained, nothing is there to run.
  const pid = (await podman.podman('inspect', '--format', '{{.State.Pid}}', compose.container('acme'))).trim();
  const held = readFileSync(`/proc/${pid}/status`, 'utf8');
  for (const line of [
    /^Uid:\s+65532\s/m,
    /^CapEff:\s+0+$/m,
    /^CapBnd:\s+0+$/m,
    /^NoNewPrivs:\s+1$/m,
    /^Seccomp:\s+2$/m,
  ])
    assert.match(held, line);
  const root = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').match(/^\d+ \d+ \S+ \/\S* \/ (\S+)/m)?.[1] ?? '';
  assert.ok(root.split(',').includes('ro'), root);
  await assert.rejects(podman.podman('exec', compose.container('acme'), '/bin/sh', '-c', 'true'), /no such file/);

  // Down and up again: the volumes have the nodes, and `init` leaves them alone.
  await compose.down();
  await compose.up();
  assert.match(await compose.run('globex', 'query'), /acme:status/);
  const list = await eventually(
    () => compose.run('globex', 'peer', 'list', '--json'),
    (text) => JSON.parse(text).peers[0]?.status?.state === 'current',
  );
  assert.match(list, /"name":"acme"/);
});

test('what kustomize makes is valid, and the node works as the pod would run it', async (t) => {
  const { path } = await goProgram('kustomize');
  const { stdout: rendered } = await run(path, ['build', join(DEPLOY, 'kubernetes', 'example')]);
  const file = join(podman.folder, 'rendered.yaml');
  writeFileSync(file, rendered);
  await tool('kubernetes-validate', '--strict', '--quiet', file);
  assert.match(rendered, /replicas: 1\n/);

  const env = [...rendered.matchAll(/^ {2}([A-Z0-9_]+): (\S+)$/gm)].flatMap(([, name, value]) => [
    `--env=${name}=${value}`,
  ]);
  assert.ok(env.length > 8, rendered);
  const volume = `pod-${process.pid}`;
  await podman.podman('volume', 'create', volume);
  const mounts = [`--volume=${volume}:/data`, `--volume=${secretVolume(podman)}:/run/credentials:ro`];
  const pod = [
    '--read-only',
    '--cap-drop=all',
    '--security-opt=no-new-privileges',
    '--network=podman',
    ...mounts,
    ...env,
  ];
  const init = ['init', '--if-missing', '--node-id', 'stigmem://acme.example'];
  // A file system with a folder of its own at the top.
  await podman.podman(
    'run',
    '--rm',
    ...pod,
    '--entrypoint=/bin/node',
    'stigmem-peerd',
    '-e',
    "fs.mkdirSync('/data/lost+found')",
  );
  assert.match(await podman.podman('run', '--rm', ...pod, 'stigmem-peerd', ...init), /Made stigmem:\/\/acme\.example/);
  assert.match(
    await podman.podman('run', '--rm', ...pod, 'stigmem-peerd', ...init),
    /has stigmem:\/\/acme\.example already/,
  );
  const name = `peerd-pod-${process.pid}`;
  await podman.podman('run', '--detach', '--name', name, ...pod, 'stigmem-peerd', 'run');
  t.after(() => podman.podman('rm', '--force', '--time', '10', name));
  const address = (
    await podman.podman('inspect', '--format', '{{.NetworkSettings.Networks.podman.IPAddress}}', name)
  ).trim();
  for (const path of ['/healthz', '/readyz']) {
    const answer = await eventually(
      () => probe(`https://${address}:8765${path}`),
      (status) => status === 200, // it answers before it is ready
    );
    assert.equal(answer, 200, path);
  }
  await podman.podman('stop', '--time', '30', name);
  assert.equal((await podman.podman('inspect', '--format', '{{.State.ExitCode}}', name)).trim(), '0');
});

function tool(name: string, ...args: readonly string[]): Promise<unknown> {
  const [interpreter, program] = tools(name);
  return run(interpreter, [program, ...args]);
}

/** A secret as the kubelet mounts it: links over a link to the newest folder, files of root that the group of the pod may read. */
function secretVolume({ folder }: Podman): string {
  const mounted = join(folder, 'tls');
  const newest = join(mounted, '..2026_11_30');
  mkdirSync(newest, { recursive: true });
  symlinkSync('..2026_11_30', join(mounted, '..data'));
  const { cert, key } = selfSigned();
  for (const [name, text] of [
    ['tls.crt', cert],
    ['tls.key', key],
  ] as const) {
    writeFileSync(join(newest, name), text);
    chownSync(join(newest, name), 0, USER);
    chmodSync(join(newest, name), 0o440);
    symlinkSync(join('..data', name), join(mounted, name));
  }
  return mounted;
}

/** As the kubelet asks: the certificate is not looked at. @returns null: nobody answers yet */
function probe(url: string): Promise<number | null> {
  return new Promise((resolve) => {
    const call = get(url, { rejectUnauthorized: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? null);
    }).on('error', () => resolve(null));
    call.setTimeout(ANSWER_MS, () => call.destroy());
  });
}

async function eventually<T>(look: () => Promise<T>, isGood: (seen: T) => boolean): Promise<T> {
  const endMs = performance.now() + FLOWS_MS;
  for (;;) {
    const seen = await look();
    if (isGood(seen)) return seen;
    assert.ok(performance.now() < endMs, `in ${FLOWS_MS} ms: ${String(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** The mesh of deploy/compose under a name of its own. */
class Compose {
  readonly #project = `peerd${process.pid}`;

  constructor(t: TestContext) {
    t.after(() => this.#compose('down', '--volumes', '--timeout', '10'));
  }

  container(organisation: string): string {
    return `${this.#project}_${organisation}_1`;
  }

  async up(): Promise<void> {
    await this.#compose('up', '--detach');
    for (const organisation of ['acme', 'globex', 'initech'])
      await eventually(
        () => this.run(organisation, 'status').catch(String),
        (text) => /^state +running/m.test(text),
      );
  }

  down(): Promise<string> {
    return this.#compose('down', '--timeout', '10');
  }

  run(organisation: string, ...command: readonly string[]): Promise<string> {
    return podman.podman('exec', this.container(organisation), 'stigmem-peerd', ...command);
  }

  #compose(...args: readonly string[]): Promise<string> {
    const all = ['--project-name', this.#project, '--file', join(DEPLOY, 'compose', 'compose.yaml'), ...args];
    const [interpreter, program] = tools('podman-compose');
    return podman.exec(interpreter, [program, ...all]);
  }
}
