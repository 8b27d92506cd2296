import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownValue } from '../../../src/core/shown-value.ts';

test('what is shown of an address has no password in it, and no query; everything else is shown as it is', () => {
  assert.equal(shownValue('https://scout:hunter2@siem.example/v1?token=abc'), 'https://…@siem.example/v1?…');
  assert.equal(shownValue('http://:hunter2@127.0.0.1:9'), 'http://…@127.0.0.1:9/');
  assert.deepEqual(shownValue(['tls://a:b@c.example:6514', 'x']), ['tls://…@c.example:6514', 'x']);
  for (const plain of [
    'https://rekor.example/',
    'stigmem://acme.example',
    's3://bucket/prefix',
    '/ip4/0.0.0.0',
    '',
    7,
    true,
    null,
  ])
    assert.equal(shownValue(plain), plain);
});
