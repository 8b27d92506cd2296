import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { atLeast, SEVERITIES, severityOf } from '../../../src/core/severity.ts';
import { type PageReason, PENALTY } from '../../../src/core/verdict.ts';

test('what suspends a peer is critical, whatever the event; what is unknown is info', () => {
  const suspending = Object.keys(PENALTY).filter((reason) => PENALTY[reason as PageReason] === 'suspended');
  assert.ok(suspending.length > 4);
  for (const reason of suspending)
    for (const event of ['federation_integrity_rejected', 'peer_suspended', 'another'])
      assert.equal(severityOf(event, reason), 'critical', `${event} ${reason}`);
  assert.equal(severityOf('peer_suspended', 'operator'), 'high');
  assert.equal(severityOf('peer_added', null), 'info');
  for (const name of ['constructor', '__proto__', '']) assert.equal(severityOf(name, name), 'info');
});

test('a lane holds what is so severe and nothing less', () => {
  for (const [least, severity] of SEVERITIES.entries()) {
    const { events, reasons } = atLeast(severity);
    const found = [...events.map((event) => severityOf(event, null)), ...reasons.map((one) => severityOf('', one))];
    for (const one of found) assert.ok(SEVERITIES.indexOf(one) >= least, `${one} in the lane of ${severity}`);
  }
  assert.ok(!atLeast('high').reasons.includes('cid_mismatch') && atLeast('medium').reasons.includes('cid_mismatch'));
});

test('each event that has a severity is one that is written somewhere', () => {
  const sources = globSync('src/**/*.ts').filter((file) => !file.endsWith('core/severity.ts'));
  const text = sources.map((file) => readFileSync(file, 'utf8')).join('\n');
  for (const event of atLeast('low').events) assert.ok(text.includes(`'${event}'`), event);
});
