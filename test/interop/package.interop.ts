/** What the registry would get: nothing but what runs, and it runs where it is installed with npm alone. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { deployTools } from './programs/python.ts';
import { serverFolder } from './programs/server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const INSTALL_MS = 180_000;
/** Prints what is wrong with a bill, by CycloneDX's own schema. */
const VALIDATE = `import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
print(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()))`;
const run = promisify(execFile);

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

async function pack(folder: string): Promise<Packed> {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: ROOT, timeout: INSTALL_MS });
  const listed = JSON.parse(stdout) as readonly Packed[] | Readonly<Record<string, Packed>>;
  const [packed] = Object.values(listed);
  assert.ok(packed !== undefined, stdout);
  return packed;
}

test('the package holds the built program, its types and four texts; it runs where npm has put it', async (t) => {
  const { folder } = serverFolder({ after: (clean) => t.after(clean) });
  const { filename, files } = await pack(folder);
  const texts = files.map(({ path }) => path).filter((path) => !path.startsWith('dist/'));
  assert.deepEqual(texts.sort(), ['CHANGELOG.md', 'LICENSE', 'README.md', 'config.example.toml', 'package.json']);
  const paths = files.map(({ path }) => path);
  for (const needed of ['dist/main.js', 'dist/writer.js', 'dist/reader.js', 'dist/verify.mjs', 'dist/client.js'])
    assert.ok(paths.includes(needed), needed);
  assert.deepEqual(
    paths.filter((path) => /\.map$|\.test\.|\.key$|\.token$|\.db$/.test(path)),
    [],
  );

  const installed = join(folder, 'installed');
  mkdirSync(installed);
  writeFileSync(join(installed, 'package.json'), '{"private":true}');
  const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts', join(folder, filename)];
  await run('npm', install, { cwd: installed, timeout: INSTALL_MS });
  const program = join(installed, 'node_modules', '.bin', 'stigmem-peerd');
  assert.ok(statSync(program).mode & 0o100);
  const data = join(folder, 'acme');
  const { stdout: made } = await run(process.execPath, [
    program,
    'init',
    '--data',
    data,
    '--node-id',
    'stigmem://acme.example',
  ]);
  assert.match(made, /Made stigmem:\/\/acme\.example/);
  const fact = [
    '--entity',
    'stigmem://acme.example/h',
    '--relation',
    'acme:is',
    '--value',
    'up',
    '--scope',
    'public',
    '--data',
    data,
  ];
  await run(process.execPath, [program, 'assert', ...fact]);
  const { stdout: found } = await run(process.execPath, [program, 'query', '--data', data]);
  assert.match(found, /acme:is/);
  const core = await run(
    process.execPath,
    ['-e', "import('stigmem-peerd/core').then((m) => console.log(Object.keys(m).length))"],
    {
      cwd: installed,
    },
  );
  assert.ok(Number(core.stdout) > 10, core.stdout);
  assert.ok(!existsSync(join(installed, 'node_modules', 'node')), 'no Node.js of development');
});

test('the bill of materials names every package that is installed, with its hash', async (t) => {
  const { stdout } = await run('npm', ['run', '--silent', 'sbom'], { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  const bill = JSON.parse(stdout) as {
    readonly components: readonly { readonly purl: string; readonly hashes?: readonly unknown[] }[];
  };
  const file = join(serverFolder({ after: (clean) => t.after(clean) }).folder, 'sbom.cdx.json');
  writeFileSync(file, stdout);
  const [python] = (await deployTools())('python');
  const { stdout: verdict } = await run(python, ['-c', VALIDATE, file]);
  assert.equal(verdict.trim(), 'None');
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const [name, version] of Object.entries(dependencies)) {
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
    const found = bill.components.find((component) => component.purl === purl);
    assert.ok(found !== undefined, purl);
    assert.ok((found.hashes ?? []).length > 0, `${purl} has a hash`);
  }
  assert.ok(!bill.components.some(({ purl }) => purl.startsWith('pkg:npm/esbuild@')), 'nothing of development');
});
