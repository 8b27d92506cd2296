import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { AuditEntry } from '../admin/api/audit-entry.ts';
import { type FileFinding, judgeFile } from '../client/verify-file.ts';
import { packetName } from '../verify/evidence-packet.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { CliError, type ExitName } from './exit.ts';
import { limitOption } from './numbers.ts';

const PAGE_RECORDS = 500;
/** As in `verify.mjs`. */
const MAX_FILE_BYTES = 67_108_864;
/** The numbers of `verify.mjs`: 0 proven, 1 not proven, 2 no evidence; 4 is for what is judged by keys. */
const VERDICT_EXITS: Readonly<Record<FileFinding['exit'], ExitName>> = {
  0: 'ok',
  1: 'refused',
  2: 'usage',
  4: 'integrity',
};

interface ExportOptions extends CommonOptions {
  readonly out?: string;
  readonly page?: boolean;
}

interface ListOptions extends CommonOptions {
  readonly limit: number;
}

export function addEvidence(program: Command, cli: Cli): void {
  const group = program
    .command('evidence')
    .summary('evidence for third parties')
    .description(
      'Evidence of what was refused, as files that anybody can judge: without this node, its database or a network.',
    );
  const list = group
    .command('list')
    .summary('records that have evidence, newest first')
    .addOption(limitOption(50, 'most records to show'))
    .action(action<ListOptions>(cli, runList));
  withExamples(withCommonOptions(list), ['evidence list --data ./acme']);
  const exporting = group
    .command('export')
    .summary('one record’s evidence as one file')
    .argument('<seq>', 'sequence of the audit record')
    .option('--out <file>', 'where to write it (default: evidence-SEQ.tar here)')
    .option('--page', 'add the page that a refused fact came in; it may hold facts that the evidence is not about')
    .action(action<ExportOptions>(cli, runExport));
  withExamples(withCommonOptions(exporting), ['evidence export 42 --data ./acme --out /tmp/evidence-42.tar']);
  const verify = group
    .command('verify')
    .summary('judge evidence, without any node; exit code 0 proven, 1 not proven, 2 no evidence')
    .argument('<file>', 'evidence-SEQ.tar, or evidence.json with the files beside it')
    .option('--json', 'one JSON document on standard output')
    .action(action(cli, runVerify));
  withExamples(verify, ['evidence verify evidence-42.tar']);
}

async function runList(context: Context, _args: readonly string[], { limit }: ListOptions): Promise<Outcome> {
  const entries = await withApi(context, async (api) => {
    const found: AuditEntry[] = [];
    for (let cursor: string | null | undefined; cursor !== null && found.length < limit; ) {
      const answer = await api.get('/v1/federation/audit', { order: 'desc', limit: PAGE_RECORDS, cursor });
      const page = JSON.parse(expectOk(answer)) as { entries: AuditEntry[]; cursor: string | null; has_more: boolean };
      found.push(...page.entries.filter(isAboutPeer));
      cursor = page.has_more ? page.cursor : null;
    }
    return found.slice(0, limit);
  });
  const rows = entries.map((entry) => [
    entry.seq,
    entry.ts,
    entry.event_type,
    entry.reason,
    entry.peer_id,
    classOf(entry),
  ]);
  const human =
    rows.length === 0
      ? 'No record has evidence.'
      : context.screen.table(['SEQ', 'TIME', 'EVENT', 'REASON', 'PEER', 'RECORDED AS'], rows);
  return { json: JSON.stringify({ entries }), human };
}

/** What a machine reports on our own checkpoints is evidence too, and comes once a minute: `anchors`, `verify tee`. */
function isAboutPeer({ evidence, event_type }: AuditEntry): boolean {
  return evidence !== null && event_type !== 'tee_report';
}

function classOf({ detail }: AuditEntry): string | null {
  const kind = detail?.['class'];
  return typeof kind === 'string' ? kind : null;
}

async function runExport(context: Context, [seq = '']: readonly string[], options: ExportOptions): Promise<Outcome> {
  if (!/^[1-9][0-9]{0,14}$/.test(seq)) {
    const message = `expected the sequence of a record such as 42, got ${JSON.stringify(seq)}`;
    throw new CliError({ exit: 'usage', message });
  }
  const path = `/v1/federation/audit/${seq}/evidence`;
  const tar = await withApi(context, (api) => api.bytes(path, { page: options.page === true }));
  const out = options.out ?? packetName(Number(seq));
  try {
    writeFileSync(out, tar, { flag: 'wx' });
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
    throw new CliError({ exit: 'refused', message: `${out} exists already`, fix: 'Name another file with --out.' });
  }
  const { text, json } = judgeFile({ bytes: tar, beside: () => null });
  return {
    json: JSON.stringify({ file: out, bytes: tar.length, ...json }),
    human: `${out}, ${tar.length} bytes\n\n${text}`,
  };
}

async function runVerify(_context: Context, [path = '']: readonly string[]): Promise<Outcome> {
  const bytes = readGiven(path);
  if (bytes === null) {
    const message = `expected a file that is there and has at most ${MAX_FILE_BYTES} bytes, got ${JSON.stringify(path)}`;
    throw new CliError({ exit: 'usage', message });
  }
  const finding = judgeFile({ bytes, beside: (name) => readGiven(join(dirname(path), name)) });
  return {
    json: JSON.stringify({ file: path, ...finding.json }),
    human: finding.text,
    exit: VERDICT_EXITS[finding.exit],
  };
}

function readGiven(path: string): Uint8Array | null {
  if (!existsSync(path)) return null;
  const { size } = statSync(path);
  return statSync(path).isFile() && size <= MAX_FILE_BYTES ? readFileSync(path) : null;
}
