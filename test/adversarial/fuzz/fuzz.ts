/**
 * Fuzzes decoders, rules, API and answers to peers:
 * `node test/adversarial/fuzz/fuzz.ts --seconds 600 --seed 1 [--target page-zstd] [--execution 17]`
 * Ends with 1 if anything was found.
 */
import { parseArgs } from 'node:util';
import { reportText, runFuzz } from './run-fuzz.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now()) },
    target: { type: 'string', default: '*' },
    execution: { type: 'string' },
  },
});
let toldAt = performance.now();
const report = await runFuzz({
  seed: values.seed,
  target: values.target,
  ...(values.execution === undefined ? { seconds: Number(values.seconds) } : { execution: Number(values.execution) }),
  onProgress: (executions) => {
    if (performance.now() - toldAt < 30_000) return;
    toldAt = performance.now();
    console.error(`${executions} executions`);
  },
});
console.log(reportText(report));
process.exitCode = report.findings.length === 0 ? 0 : 1;
