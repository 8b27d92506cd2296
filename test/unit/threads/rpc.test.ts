/** What callers see of a worker that ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkerClient } from '../../../src/threads/rpc.ts';

function workerThat(onMessage: string): WorkerClient {
  const code = `import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ id }) => { ${onMessage} });`;
  return new WorkerClient(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {});
}

test('a call under way gets the failure of the worker; later ones are told that it is gone', async () => {
  const client = workerThat("throw Object.assign(new Error('out of luck'), { code: 'luck' })");
  await assert.rejects(client.call('any', []), { message: 'out of luck', code: 'luck' });
  await assert.rejects(client.call('any', []), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'closed');
    assert.equal((error.cause as Error).message, 'out of luck');
    return true;
  });
  assert.equal(client.isAlive, false);
  assert.equal(client.pending, 0);
  await client.exited();
});

test('a worker that ends by itself leaves no call unanswered', async () => {
  const client = workerThat('process.exit(3)');
  await assert.rejects(client.call('any', []), { code: 'closed' });
  await assert.rejects(client.call('any', []), { code: 'closed' });
});

test('answers find their calls in any order of calls', async () => {
  const client = workerThat('parentPort.postMessage({ id, value: id })');
  assert.deepEqual(await Promise.all([client.call('a', []), client.call('b', [])]), [1, 2]);
  await client.terminate();
  await assert.rejects(client.call('c', []), { code: 'closed' });
});
