/** `recall` and `--verify` on the command line, over a real data folder. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { createFolder, type DataFolder, openFolderApi } from '../../support/data-folder.ts';
import { MAIN } from '../../support/node-process.ts';
import { tamper } from '../../support/tampering.ts';

let folder: DataFolder;
before(async () => {
  folder = await createFolder();
  const api = await openFolderApi(folder);
  for (const v of ['the walrus sings', 'the walrus sleeps']) {
    const body = { entity: `e:${v}`, relation: 'x:note', source: 's', value: { type: 'text', v }, scope: 'public' };
    assert.equal((await api.send('/v1/facts', { as: 'full', body })).status, 201);
  }
  await api.close();
});
after(() => folder.remove());

function run(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args, '--data', folder.dir], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test('recall shows what answers, and says that it is proved', async () => {
  const { code, stdout, stderr } = await run('recall', 'singing sings walrus', '--scope', 'public', '--verify');
  assert.equal(code, 0, stderr);
  assert.match(stdout.split('\n')[1] ?? '', /sings/);
  assert.match(stdout, /2 proved against checkpoints of example\/journal\/\w{16}, 0 of them anchored/);
  const small = await run('recall', 'walrus', '--scope', 'public', '--budget', '12');
  assert.match(small.stdout, /More is there than fits 12 tokens/);
  const elsewhere = await run('recall', 'walrus');
  assert.match(elsewhere.stdout, /^No fact of scope local has these words\. Other scopes: --scope .*public\./);
});

test('query --verify proves a page, and one fact', async () => {
  const page = await run('query', '--relation', 'x:note', '--verify', '--json');
  assert.equal(page.code, 0, page.stderr);
  const answer = JSON.parse(page.stdout) as { facts: { id: string }[]; bundles: object };
  assert.deepEqual(
    Object.keys(answer.bundles),
    answer.facts.map(({ id }) => id),
  );
  const one = await run('query', answer.facts[0]?.id ?? '', '--verify');
  assert.match(one.stdout, /1 proved/);
});

test('a checkpoint that the log has not signed is found', async () => {
  tamper(folder.dir, (db) =>
    db.exec(`INSERT INTO cosignatures SELECT 1, 1, tree_size, 'w', 'x', 1, 0, 0 FROM checkpoints WHERE log = 1 AND tree_size = 2;
      UPDATE checkpoints SET note = replace(note, 'example/journal', 'another/journal') WHERE log = 1`),
  );
  const { code, stderr } = await run('recall', 'walrus', '--scope', 'public', '--verify');
  assert.notEqual(code, 0);
  assert.match(stderr, /not proved|409|chain/);
});
