/** A daemon that hangs: its port takes connections, and nothing comes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { askAlive, openDaemonSender } from '../../../src/cli/daemon-send.ts';

test('a daemon that takes the connection and says nothing is given up; one that answers is not', {
  timeout: 20_000,
}, async () => {
  let isHanging = true;
  const server = createServer((_request, response) => {
    if (!isHanging) response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sender = openDaemonSender(api, null);
  await assert.rejects(askAlive(sender, api, 100), { message: 'no answer within 0.1 s' });
  isHanging = false;
  await askAlive(sender, api, 10_000);
  sender.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  const refused = openDaemonSender(api, null);
  await assert.rejects(askAlive(refused, api, 10_000), { code: 'ECONNREFUSED' });
  refused.close();
});
