/** Drills of this node: who makes them, what is known of them, their reports. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiDrills, DrillStatus } from '../admin/drill-desk.ts';
import { writeFileAtomically } from '../config/atomic-file.ts';
import { CUT_OFF, DRILL_KINDS, type DrillOutcome, type DrillRun } from '../core/drill.ts';
import { HOUR_MS, isoMicros } from '../core/time.ts';
import { readTar } from '../core/ustar.ts';
import { DrillHistory } from '../drill/history.ts';
import { DrillKeeper } from '../drill/keeper.ts';
import { drillMonth, monthAt, monthOf } from '../drill/month.ts';
import { DrillRunner } from '../drill/runner.ts';
import type { Metrics } from '../observe/metrics.ts';
import { SYSTEM_CLOCK } from '../transport/clock.ts';
import { judgePacket } from '../verify/packet-verdict.ts';
import type { Base } from './base.ts';
import { packetOf } from './evidence.ts';
import type { Federation } from './federation.ts';
import { KeptAnswers } from './kept-answers.ts';
import type { Siem } from './siem.ts';
import { VERSION } from './version.ts';

const REPORT_MODE = 0o644;
/** All drills and refusals of the month are read for it. */
const KEPT_MS = 60_000;
const FOLDER_MODE = 0o700;

/** Of a folder whose node does not run: what is known, and nothing can be begun. */
export function drillsOffline(base: Base): ApiDrills {
  return deskOf(
    base,
    historyOf(base, () => null),
    null,
  );
}

export function startDrills(
  base: Base,
  federation: Pick<Federation, 'drills' | 'guard'>,
  siem: Pick<Siem, 'acks'>,
  owned: AsyncDisposableStack,
): ApiDrills {
  const runner = runnerOf(base, federation, siem);
  const history = historyOf(base, () => runner.running);
  const desk = deskOf(base, history, runner);
  const keeper = keeperOf(base, federation, { runner, history, desk });
  keeper.start();
  owned.defer(async () => {
    await runner.stop();
    await keeper.stop();
  });
  return desk;
}

function runnerOf(base: Base, federation: Pick<Federation, 'drills' | 'guard'>, siem: Pick<Siem, 'acks'>): DrillRunner {
  const { config, events, http, logger, reader, traces, writer } = base;
  return new DrillRunner({
    ground: federation.drills,
    clock: SYSTEM_CLOCK,
    nodeId: config.nodeId,
    peerId: base.peerId,
    swarmKey: base.swarmKey,
    http,
    traces,
    audit: (input) => writer.audit(input),
    sinks: config.sinks,
    node: { nodeId: config.nodeId, authority: config.authority, version: VERSION },
    acks: siem.acks,
    sinkState: (name) => writer.sinkState(name),
    auditLines: (after, limit, maxBytes) => reader.auditLines(after, limit, maxBytes),
    journal: writer,
    isReady: () => federation.guard.isClear,
    convicts: (seq) => convicts(base, seq),
    onEnded: (kind, fault) => events.drillEnded(kind, fault?.code ?? null, fault?.message ?? null),
    onError: (error) => logger.error({ err: error }, 'a drill could not be made'),
  });
}

/** What a stranger would make of the packet that this node exports. */
async function convicts(base: Base, seq: number): Promise<boolean> {
  const packet = await packetOf(base, seq, false);
  const files = packet.kind === 'packet' ? readTar(packet.tar) : null;
  return files?.ok === true && judgePacket(files.value).verdict === 'contradiction';
}

function historyOf({ reader }: Base, running: () => DrillRun | null): DrillHistory {
  return new DrillHistory({
    auditPage: (filter) => reader.auditPage(filter),
    cases: (query) => reader.cases(query),
    caseEvents: (query) => reader.caseEvents(query),
    running,
  });
}

function keeperOf(
  base: Base,
  { guard }: Pick<Federation, 'guard'>,
  {
    runner,
    history,
    desk,
  }: { readonly runner: DrillRunner; readonly history: DrillHistory; readonly desk: ReportMaker },
): DrillKeeper {
  const { config, events, logger, reader, writer, nowMs } = base;
  const { everyMs, kinds, acknowledgeMs } = config.drills;
  return new DrillKeeper({
    runner,
    kinds: () => history.kinds(),
    cases: (query) => reader.cases(query),
    resolveDrillCases: (peer, why) => writer.resolveDrillCases(peer, why),
    endCutOff: async (before) => {
      for (const { id, kind, node_id: nodeId } of await history.cutOff(before)) {
        await writer.endDrill({ id, kind, nodeId, authority: nodeId.replace('stigmem://', '') }, NO_END);
        events.drillEnded(kind, CUT_OFF.code, CUT_OFF.message);
      }
    },
    report: {
      begunAt: async () => (await reader.lastRefusalAt()).begun,
      isMade: (month) => existsSync(reportFile(base, month)),
      make: (month) => desk.keep(month),
    },
    schedule: everyMs === null ? null : { everyMs, kinds },
    acknowledgeMs,
    isReady: () => guard.isClear,
    audits: base.audits,
    nowMs,
    onError: (error) => logger.error({ err: error }, 'drills cannot be looked after'),
  });
}

const NO_END: DrillOutcome = {
  failure: CUT_OFF,
  seen: null,
  sent_at: null,
  recorded_at: null,
  sinks: [],
  convicts: null,
};

interface ReportMaker {
  keep(month: string): Promise<void>;
}

function deskOf(base: Base, history: DrillHistory, runner: DrillRunner | null): ApiDrills & ReportMaker {
  const unfinished = new KeptAnswers(
    KEPT_MS,
    async (month: string) => (await made(base, history, month, false)).text,
    base.nowMs,
  );
  return {
    status: () => statusOf(base, history, runner),
    async start(kind, actor, why) {
      const outcome = await runner?.start(kind, actor, why);
      return outcome === undefined || outcome.kind === 'stopping' ? { kind: 'not_running' } : outcome;
    },
    runs: (cursor, limit) => history.page(cursor, limit),
    async run(id) {
      const running = runner?.running ?? null;
      return running?.id === id ? running : history.find(id);
    },
    async report(text) {
      const month = monthOf(text);
      if (month === null) return { kind: 'no_month' };
      if (existsSync(reportFile(base, text)))
        return { kind: 'report', text: readFileSync(reportFile(base, text), 'utf8') };
      if (text > monthAt(base.nowMs())) return { kind: 'not_begun' };
      return { kind: 'report', text: await unfinished.get(text) };
    },
    async keep(text) {
      const { month, text: report } = await made(base, history, text, true);
      // The file ends it: after a crash in between there is another report, with its own record.
      await base.writer.recordDrillReport(month, report);
      mkdirSync(base.paths.drills, { recursive: true, mode: FOLDER_MODE });
      writeFileAtomically(reportFile(base, text), report, REPORT_MODE);
    },
  };
}

async function made(base: Base, history: DrillHistory, text: string, whole: boolean) {
  const { config, nowMs, reader, writer } = base;
  const known = monthOf(text);
  if (known === null) throw new Error(`expected a month such as 2026-11, got ${text}`);
  const { since, until } = known;
  const month = drillMonth({
    nodeId: config.nodeId,
    month: text,
    madeAt: isoMicros(nowMs() * 1_000),
    auditSize: (await writer.stats()).auditRecords,
    whole,
    runs: await history.between(since, until),
    refusals: await reader.realRefusals(since, until),
  });
  return { month, text: await writer.signDrillMonth(month) };
}

function reportFile({ paths }: Base, month: string): string {
  return join(paths.drills, `${month}.note`);
}

async function statusOf(base: Base, history: DrillHistory, runner: DrillRunner | null): Promise<DrillStatus> {
  const { everyMs, kinds } = base.config.drills;
  const { refusal, begun } = await base.reader.lastRefusalAt();
  return {
    kinds: await history.kinds(),
    running: runner?.running ?? null,
    schedule: everyMs === null ? null : { every_hours: everyMs / HOUR_MS, kinds },
    last_refusal_at: refusal,
    since: begun,
  };
}

/** A log that is new has refused nothing yet, and is no dead detector: its own beginning stands for both. */
export async function measureDrills(
  { lastRefusalTimestamp, lastDrillTimestamp }: Metrics,
  status: () => Promise<DrillStatus>,
): Promise<void> {
  const { kinds, last_refusal_at, since } = await status();
  const seconds = (at: string | null): number => (at === null ? 0 : Date.parse(at) / 1_000);
  lastRefusalTimestamp.set(seconds(last_refusal_at ?? since));
  for (const kind of DRILL_KINDS) {
    const passed = kinds.find((one) => one.kind === kind)?.last_passed_at ?? null;
    lastDrillTimestamp.set({ kind }, seconds(passed ?? since));
  }
}
