/**
 * The client in a real Chromium: a page on loopback imports the bundle and reads verified facts of a real node through
 * the server that serves the page, which on some paths lies.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { browserBuild } from '../../.ci/browser-build.mjs';
import type * as Client from '../../src/client/browser.ts';
import { launchChromium } from '../support/chromium.ts';
import { Bench, type NodeProcess } from '../support/node-process.ts';
import { until } from '../support/until.ts';

let folder: string;
let browser: Browser;
let page: Page;
let node: NodeProcess;
let server: Server;
let factId: string;
let erasedId: string;
const cleanups: (() => Promise<void>)[] = [];

/** What stands in the page. */
declare const location: { readonly origin: string; reload(): void };
declare const localStorage: Storage;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'peerd-chromium-'));
  await build(browserBuild(join(folder, 'client.browser.js')));
  const bench = new Bench({ after: (clean: () => Promise<void>) => cleanups.push(clean) } as never);
  node = await bench.node('acme.example', ['tombstones.undo_window_s=0']);
  await node.start();
  for (let i = 0; i < 5; i++) {
    const body = {
      entity: `stigmem://acme.example/host/web${i}`,
      relation: 'acme:status',
      value: { type: 'string', v: `up ${i}` },
      source: 'stigmem://acme.example/operator',
      scope: 'public',
      confidence: 1,
    };
    const { body: fact } = await node.post('/v1/facts', body);
    factId = fact.id;
    if (i === 1) erasedId = fact.id;
  }
  await node.post('/v1/tombstones', { fact: erasedId });
  await until('it is erased', async () => (await node.get(`/v1/tombstones/${erasedId}`)).body.state === 'scrubbed');
  server = createServer((incoming, outgoing) => void serve(incoming, outgoing).catch(() => outgoing.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  for (const clean of cleanups) await clean();
  rmSync(folder, { recursive: true, force: true });
});

/** The page, the bundle, and the node's API under `/true` and, with one word edited, under `/edited`. */
async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const path = incoming.url ?? '/';
  if (path === '/')
    return void outgoing.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>client</title>');
  if (path === '/client.browser.js') {
    return void outgoing
      .writeHead(200, { 'content-type': 'text/javascript' })
      .end(readFileSync(join(folder, 'client.browser.js')));
  }
  const [, kind, rest = ''] = /^\/(true|edited)(\/.*)$/.exec(path) ?? [];
  if (kind === undefined) return void outgoing.writeHead(404).end();
  const answer = await fetch(`${node.url}${rest}`, {
    headers: {
      authorization: incoming.headers.authorization ?? '',
      'stigmem-verify': String(incoming.headers['stigmem-verify'] ?? ''),
    },
  });
  const text = await answer.text();
  outgoing
    .writeHead(answer.status, { 'content-type': 'application/json' })
    .end(kind === 'edited' ? text.replaceAll('up ', 'down ') : text);
}

interface Reading {
  readonly base: string;
  readonly key: string;
  readonly nodeId: string;
  readonly peerId: string;
  readonly id: string;
}

/** Runs in the page. */
async function read({ base, key, nodeId, peerId, id }: Reading): Promise<unknown> {
  const url = '/client.browser.js';
  const { StigmemClient, BrowserStore } = (await import(url)) as typeof Client;
  const trust = { nodes: [{ nodeId, peerId }] };
  const client = new StigmemClient({ url: `${location.origin}/${base}`, key, trust, checkpoints: new BrowserStore() });
  try {
    const fact = await client.get(id);
    const { facts } = await client.query({ relation: 'acme:status' });
    const changes: string[] = [];
    for await (const { kind, position } of client.changes({ once: true })) changes.push(`${kind} ${position}`);
    const kept = Object.keys(localStorage).filter((name) => name.startsWith('stigmem.checkpoint.'));
    return { value: fact?.value, index: fact?.proof?.index, facts: facts.length, changes, kept: kept.length };
  } catch (error) {
    return { refused: (error as { code?: string }).code, message: String(error) };
  }
}

function reading(base: string): Reading {
  return { base, key: node.token, nodeId: node.nodeId, peerId: node.peerId, id: factId };
}

test('a page reads verified facts of a real node', async () => {
  assert.deepEqual(await page.evaluate(read, reading('true')), {
    value: 'up 4',
    index: 4,
    facts: 4,
    changes: ['fact 1', 'erased 2', 'fact 3', 'fact 4', 'fact 5', 'erased 6'],
    // The last checkpoint of its journal, and which journal it is that belongs to the node.
    kept: 2,
  });
});

test('an answer that was edited on the way is refused', async () => {
  const answer = (await page.evaluate(read, reading('edited'))) as { refused?: string };
  assert.equal(answer.refused, 'inclusion_proof_invalid', JSON.stringify(answer));
});

test('the checkpoint that the browser keeps holds the node to its history after a reload', async () => {
  await page.reload();
  await page.evaluate(() => {
    const name = Object.keys(localStorage).find((one) => one.startsWith('stigmem.checkpoint.')) ?? '';
    const seen = JSON.parse(localStorage.getItem(name) ?? '{}') as { size: number };
    localStorage.setItem(name, JSON.stringify({ ...seen, size: seen.size + 1_000_000 }));
  });
  const answer = (await page.evaluate(read, reading('true'))) as { refused?: string };
  assert.equal(answer.refused, 'server_went_back', JSON.stringify(answer));
});
