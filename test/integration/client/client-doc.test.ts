/** The examples of docs/client.md, as they stand, on a real node over HTTP. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startServer } from '../../../src/admin/server.ts';
import { createFolder, type DataFolder, type FolderApi, openFolderApi } from '../../support/data-folder.ts';

const page = readFileSync('docs/client.md', 'utf8');
const entry = new URL('../../../src/client/node.ts', import.meta.url).href;
let data: DataFolder;
let api: FolderApi;
let server: Awaited<ReturnType<typeof startServer>>;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'peerd-client-doc-'));
  data = await createFolder('acme.example');
  api = await openFolderApi(data);
  server = await startServer({ api: api.api, host: '127.0.0.1', port: 0, behindProxy: false });
});
after(async () => {
  await server.close({ graceMs: 100 });
  await api.close();
  data.remove();
  rmSync(folder, { recursive: true, force: true });
});

const examples = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code);

test('there are examples', () => {
  assert.equal(examples.length, 3);
});

for (const [place, code] of examples.entries()) {
  test(`example ${place + 1} runs, and what it claims holds`, async () => {
    const file = join(folder, `${place}.mjs`);
    const text = code
      .replace("'stigmem-peerd/client'", `'${entry}'`)
      .replaceAll('https://peerd.acme.example', server.url)
      .replaceAll('12D3KooW…', api.base.peerId);
    writeFileSync(file, text);
    const env = { ...process.env, STIGMEM_KEY: api.keys.full };
    const child = spawn(process.execPath, [file], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, errors] = await Promise.all([child.stdout.toArray(), child.stderr.toArray(), once(child, 'exit')]);
    assert.equal(child.exitCode, 0, errors.join(''));
    assert.doesNotMatch(`${out.join('')}${errors.join('')}`, /Assertion failed/);
  });
}
