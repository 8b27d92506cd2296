/** Sigma rules name fields that ECS documents have, and reasons and events that there are. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { atLeast } from '../../../src/core/severity.ts';
import { toEcs } from '../../../src/siem/ecs.ts';
import { siemEvent } from '../../support/siem-events.ts';

const { events, reasons } = atLeast('info');
const KNOWN: Readonly<Record<string, readonly string[]>> = { 'event.code': reasons, 'event.action': events };

for (const file of readdirSync('deploy/sigma'))
  test(file, () => {
    const text = readFileSync(`deploy/sigma/${file}`, 'utf8');
    const detection = text.slice(text.indexOf('detection:'), text.indexOf('  condition:'));
    const fields = [...detection.matchAll(/^ {4}([a-z_.]+):([^\n]*)((?:\n {6}- [^\n]+)*)/gm)];
    assert.ok(fields.length > 0);
    const document = toEcs(siemEvent(), false);
    for (const [, field = '', single = '', list = ''] of fields) {
      const path = field.split('.');
      const value = path.reduce<unknown>((at, key) => (Object(at) as Record<string, unknown>)[key], document);
      assert.notEqual(value, undefined, `ECS documents have ${field}`);
      const values = [single.trim(), ...list.split('\n').map((line) => line.replace(/^\s*- /, ''))].filter(
        (one) => one !== '',
      );
      const known = KNOWN[field];
      if (known !== undefined)
        assert.deepEqual(
          values.filter((one) => !known.includes(one)),
          [],
        );
    }
  });
