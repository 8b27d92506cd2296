/** What a peer wrote, in every field that it can reach, through every format: one event comes out, and nothing but text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, type PlainJson } from '../../../src/core/canonical-json.ts';
import { SINK_FORMATS } from '../../../src/core/sink.ts';
import type { AuditRecord } from '../../../src/journal/read-model.ts';
import { type FormattedEvent, formatEvent } from '../../../src/siem/format.ts';
import { logsRequest } from '../../../src/siem/otlp-sink.ts';
import { hecEvent } from '../../../src/siem/splunk-sink.ts';
import { syslogFrame } from '../../../src/siem/syslog.ts';
import { CORPUS, poisoned, RAW } from '../../support/injection-corpus.ts';

for (const [name, text] of Object.entries(CORPUS))
  test(`${name} is text in every format and sink`, () => {
    for (const event of poisoned(text))
      for (const format of SINK_FORMATS)
        for (const withRecord of [false, true]) {
          const formatted = formatEvent(event, format, withRecord);
          assert.doesNotMatch(formatted.text, RAW, format);
          if (format === 'cef') checkCef(formatted.text, event.record.event);
          else checkJson(format, formatted.text, event.record);
          checkSyslog(syslogFrame(event, formatted.text), formatted.text);
          checkSplunk(formatted, format === 'cef');
          checkOtlp(formatted);
        }
  });

function checkJson(format: string, text: string, record: AuditRecord): void {
  assert.doesNotMatch(text, /[<>&\u0080-\uffff]/, format);
  type Shape = { record?: PlainJson; unmapped?: { stigmem: { peer: string } }; stigmem?: { peer: string } };
  const parsed = JSON.parse(text) as Shape;
  if (format === 'record') assert.equal(canonicalJson(parsed.record ?? null), canonicalJson(record as never));
  else assert.equal((parsed.unmapped?.stigmem ?? parsed.stigmem)?.peer, record.peer);
}

const LABELLED = ['cs1', 'cs2', 'cs3', 'cs4', 'cs5', 'cs6', 'cn1', 'cn2', 'flexString1', 'flexString2'];
const PLAIN = 'rt externalId dvchost act outcome reason fileHash fileId suser cnt start end msg'.split(' ');
const KEYS: readonly string[] = [...PLAIN, ...LABELLED.flatMap((key) => [`${key}Label`, key])];

/** Read as a parser of CEF reads it: seven bars that are not escaped, then keys in front of `=` that are not. */
function checkCef(text: string, event: string): void {
  const parts = text.split(/(?<=(?<!\\)(?:\\\\)*)\|/);
  assert.ok(parts.length >= 8, text);
  assert.equal(parts[0], 'CEF:0');
  assert.equal(parts[5], event);
  const extension = parts.slice(7).join('|');
  const keys = [...extension.matchAll(/(?:^| )([A-Za-z0-9]+)=/g)].map(([, key]) => key);
  assert.deepEqual(
    keys.filter((key) => !KEYS.includes(key ?? '')),
    [],
  );
  assert.deepEqual(keys.slice(0, 4), ['rt', 'externalId', 'dvchost', 'act']);
  assert.equal(new Set(keys).size, keys.length, `a key that was not written: ${keys.join(' ')}`);
  if (event === 'federation_integrity_rejected') assert.match(extension, / act=rejected outcome=failure /);
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
  assert.equal(record?.eventName, `stigmem.${formatted.event.record.event}`);
}
