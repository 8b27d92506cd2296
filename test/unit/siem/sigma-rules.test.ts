/** Sigma rules name fields that ECS documents have, and reasons and events that there are. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CASE_OPENED } from '../../../src/core/case-finding.ts';
import { atLeast } from '../../../src/core/severity.ts';
import { toEcs } from '../../../src/siem/ecs.ts';
import { siemEvent } from '../../support/siem-events.ts';

const { events, reasons } = atLeast('info');
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  'event.code': reasons,
  'event.action': [...events, CASE_OPENED],
};
const RULES = readdirSync('deploy/sigma').map((file) => [file, readFileSync(`deploy/sigma/${file}`, 'utf8')] as const);
const isCorrelation = (text: string): boolean => /^correlation:$/m.test(text);

test('a correlation counts events of a rule that there is, by fields that they have', () => {
  const names = RULES.flatMap(([, text]) => /^name: (\w+)$/m.exec(text)?.[1] ?? []);
  const correlations = RULES.filter(([, text]) => isCorrelation(text));
  assert.ok(correlations.length >= 5);
  for (const [file, text] of correlations) {
    const listed = (key: string): string[] =>
      (new RegExp(`^  ${key}:\\n((?: {4}- .*\\n)+)`, 'm').exec(text)?.[1] ?? '').match(/[\w.]+/g) ?? [];
    assert.ok(listed('rules').length > 0 && listed('rules').every((name) => names.includes(name)), file);
    const fields = [...listed('group-by'), ...(/^ {4}field: (\S+)$/m.exec(text)?.slice(1) ?? [])];
    assert.ok(fields.length > 0 && fields.every((field) => valueAt(field) !== undefined), `${file}: ${fields.join()}`);
  }
});

function valueAt(field: string): unknown {
  const document = toEcs(siemEvent(), false);
  return field.split('.').reduce<unknown>((at, key) => (Object(at) as Record<string, unknown>)[key], document);
}

for (const [file, text] of RULES.filter(([, rule]) => !isCorrelation(rule)))
  test(file, () => {
    const detection = text.slice(text.indexOf('detection:'), text.indexOf('  condition:'));
    const fields = [...detection.matchAll(/^ {4}([a-z_.]+)(?:\|exists)?:([^\n]*)((?:\n {6}- [^\n]+)*)/gm)];
    assert.ok(fields.length > 0);
    for (const [, field = '', single = '', list = ''] of fields) {
      assert.notEqual(valueAt(field), undefined, `ECS documents have ${field}`);
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
