import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { docsPage } from '../../../src/admin/api/docs-page.ts';
import { createTestApi } from '../../support/api-fixture.ts';

interface Spec {
  openapi: string;
  paths: Record<
    string,
    Record<string, { security?: unknown; parameters?: { name: string }[]; responses: Record<string, unknown> }>
  >;
  components: { schemas: Record<string, unknown> };
}

test('the OpenAPI document describes every route that is served, and no other', async () => {
  const api = await createTestApi();
  const spec = (await (await api.send('/openapi.json')).json()) as Spec;
  assert.equal(spec.openapi, '3.1.0');
  const documented = Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
  const served = api.api.routes.map(({ method, path }) => `${method} ${path.replace('{.+}', '')}`);
  assert.deepEqual(documented.sort(), served.sort());
  await api.close();
});

test('the document holds what a client needs: parameters with bounds, shapes, security', async () => {
  const api = await createTestApi();
  const spec = (await (await api.send('/openapi.json')).json()) as Spec;
  const audit = spec.paths['/v1/federation/audit']?.['get'];
  assert.deepEqual(
    audit?.parameters?.map(({ name }) => name),
    [
      'peer_id',
      'event_type',
      'reason',
      'min_severity',
      'feed',
      'since',
      'until',
      'fact_id',
      'cid',
      'cursor',
      'order',
      'limit',
      'format',
    ],
  );
  const limit = audit?.parameters?.find(({ name }) => name === 'limit') as unknown as {
    required: boolean;
    schema: unknown;
  };
  assert.equal(limit.required, false);
  assert.deepEqual(limit.schema, {
    type: 'integer',
    minimum: 1,
    maximum: 500,
    default: 50,
    description: 'Records per page; streams have no limit.',
  });
  assert.deepEqual(audit?.security, [{ bearer: [] }]);
  assert.equal(spec.paths['/healthz']?.['get']?.security, undefined);
  const references = JSON.stringify(spec).matchAll(/"#\/components\/schemas\/([^"]+)"/g);
  for (const [, name] of references) assert.ok(spec.components.schemas[name ?? ''] !== undefined, name);
  assert.equal(Object.keys((spec.components.schemas['FactRecord'] as { properties: object }).properties).length, 26);
  await api.close();
});

test('the page needs no script and no other file, and its policy lets in nothing but its own style', async () => {
  const api = await createTestApi();
  const response = await api.send('/docs');
  const html = await response.text();
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
  const csp = response.headers.get('content-security-policy') ?? '';
  assert.ok(csp.startsWith("default-src 'none'; style-src 'sha256-"));
  assert.ok(csp.includes(hash('sha256', style, 'base64')));
  assert.doesNotMatch(html, /<script|<link|<img|<iframe|javascript:|\son\w+=|\sstyle=|src=|@import|url\(/i);
  for (const href of html.matchAll(/href="([^"]*)"/g)) assert.match(href[1] ?? '', /^(?:#|\/openapi\.json$)/);
  const ids = new Set([...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]));
  for (const href of html.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.has(href[1]), `#${href[1]} leads nowhere`);
  await api.close();
});

test('texts of the document are text on the page', () => {
  const evil = '<script>alert(1)</script>"\'&';
  const spec = {
    info: { title: evil, version: evil, description: evil },
    paths: {
      [`/${evil}`]: {
        get: { summary: evil, description: evil, tags: [evil], responses: { 200: { description: evil } } },
      },
    },
    components: { schemas: { [evil]: { description: evil, enum: [evil] } } },
  };
  const html = docsPage(spec).replace(/<style>[\s\S]*?<\/style>/, '');
  assert.doesNotMatch(html, /<script/);
  assert.ok(html.includes('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;'));
});

test('every answer has the security headers and none allows another origin', async () => {
  const api = await createTestApi();
  for (const path of ['/healthz', '/v1/facts', '/nope', '/docs', '/metrics', '/openapi.json']) {
    const { headers } = await api.send(path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'/, path);
    assert.equal(headers.get('cache-control'), 'no-store', path);
    assert.equal(headers.get('access-control-allow-origin'), null, path);
  }
  await api.close();
});
