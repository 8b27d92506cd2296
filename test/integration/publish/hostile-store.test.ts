/** A store that lies about lengths, says nothing or sends elsewhere: an export ends, and holds little. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createHttpClient } from '../../../src/outbound/http-client.ts';
import { S3Target } from '../../../src/publish/s3-target.ts';

const CHUNK = Buffer.alloc(65_536, 'x');

async function storeThat(
  t: TestContext,
  answer: RequestListener,
  timeoutMs = 1_000,
): Promise<{ target: S3Target; url: string }> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const given = {
    accessKeyId: 'key',
    secretAccessKey: 'secret',
    http: createHttpClient([]),
    retries: 0,
    timeoutMs,
  };
  return { target: new S3Target({ bucket: 'logs', prefix: 'acme', endpoint: url, region: 'eu-x-1', ...given }), url };
}

/** An answer without end. @returns bytes that were sent of it */
function endless(status: number): { readonly answer: RequestListener; sent(): number } {
  let sent = 0;
  const answer: RequestListener = (_, outgoing) => {
    outgoing.writeHead(status);
    const more = (): void => {
      while (!outgoing.destroyed && sent < 512 * CHUNK.length) {
        sent += CHUNK.length;
        if (!outgoing.write(CHUNK)) return;
      }
      outgoing.end();
    };
    outgoing.on('drain', more);
    more();
  };
  return { answer, sent: () => sent };
}

for (const status of [200, 403, 404]) {
  test(`an answer without end to a read, status ${status}, is not read to its end`, async (t) => {
    const { answer, sent } = endless(status);
    const { target } = await storeThat(t, answer);
    await target.read('checkpoint').catch(() => undefined);
    assert.ok(sent() < 16 * 1_048_576, `${sent()} bytes were taken`);
  });
}

test('an answer without end to a write is not read to its end', async (t) => {
  const { answer, sent } = endless(500);
  const { target } = await storeThat(t, answer, 30_000);
  await assert.rejects(target.writeOnce('tile', CHUNK), /cannot be reached \(.*1048576/);
  assert.ok(sent() < 16 * 1_048_576, `${sent()} bytes were taken`);
});

test('a store that says nothing, or nothing more, ends the export in time', async (t) => {
  const silent = await storeThat(t, () => undefined);
  await assert.rejects(silent.target.read('checkpoint'), /cannot be reached/);
  const halted = await storeThat(t, (_, outgoing) => void outgoing.writeHead(200).write('half'));
  await assert.rejects(halted.target.read('checkpoint'), /cannot be reached/);
});

test('a store that sends elsewhere is not followed', async (t) => {
  let asked = 0;
  const other = await storeThat(t, (_, outgoing) => {
    asked++;
    outgoing.end('of another log');
  });
  const store = await storeThat(t, (_, outgoing) => {
    outgoing.writeHead(307, { location: `${other.url}/logs/acme/checkpoint` }).end();
  });
  await assert.rejects(store.target.read('checkpoint'), /cannot be reached/);
  assert.equal(asked, 0);
});
