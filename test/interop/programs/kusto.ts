/** Microsoft's own reader of Kusto queries: a package of npm, installed beside the other programs. It judges, and runs nothing. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installed } from './cache.ts';

const PACKAGE = '@kusto/language-service-next';
const VERSION = '12.4.1';
/** As the exporter `azuredataexplorer` of the OpenTelemetry collector makes it. */
const TABLE =
  '(Timestamp: datetime, ObservedTimestamp: datetime, TraceID: string, SpanID: string, SeverityText: string, SeverityNumber: int, Body: string, ResourceAttributes: dynamic, LogsAttributes: dynamic)';
const run = promisify(execFile);

interface List<T> {
  readonly Count: number;
  getItem(index: number): T;
}
interface KustoLanguage {
  readonly Symbols: {
    readonly TableSymbol: { From(columns: string): { WithName(name: string): object } };
    readonly DatabaseSymbol: { readonly $ctor1: new (name: string, tables: readonly object[]) => object };
  };
  readonly GlobalState: { readonly Default: { WithDatabase(database: object): object } };
  readonly KustoCode: {
    ParseAndAnalyze(text: string, globals: object): { GetDiagnostics(): List<{ readonly Message: string }> };
  };
}

/** @returns what it has against a query over the table `OTELLogs` */
export async function kustoFaults(): Promise<(query: string) => readonly string[]> {
  const folder = await installed(`kusto-language-service-${VERSION}`, async (empty) => {
    writeFileSync(join(empty, 'package.json'), '{"private":true}');
    const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `${PACKAGE}@${VERSION}`];
    await run('npm', install, { cwd: empty });
  });
  const load = createRequire(join(folder, 'package.json'));
  // They put themselves into the global object.
  for (const file of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) load(`${PACKAGE}/${file}`);
  const { Language } = (globalThis as unknown as { Kusto: { Language: KustoLanguage } }).Kusto;
  const { DatabaseSymbol, TableSymbol } = Language.Symbols;
  const database = new DatabaseSymbol.$ctor1('db', [TableSymbol.From(TABLE).WithName('OTELLogs')]);
  const globals = Language.GlobalState.Default.WithDatabase(database);
  return (query) => {
    const found = Language.KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
    return Array.from({ length: found.Count }, (_, i) => found.getItem(i).Message);
  };
}
