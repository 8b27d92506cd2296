// docs/threat-model.md says which test shows which control. Fails when a row that claims a test has none, or names one that
// is not there.
import { existsSync, readFileSync } from 'node:fs';

const REGISTER = 'docs/threat-model.md';
/** Its last column names tests in the same way. */
const LIMITS = 'docs/limits.md';
/** Its second table names the hostile programs for each threat, or says why there is none. */
const ZOO = 'docs/zoo.md';
const THREATS = 52;
const CLAIMS_TESTS = new Map([
  ['reached', true],
  ['partly', true],
  ['no test yet', false],
  ['planned', false],
]);
const TEST = /^`(test\/[^`]+)`: (.+)$/;

const rows = readFileSync(REGISTER, 'utf8')
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) =>
    line
      .slice(1, line.lastIndexOf('|'))
      .split('|')
      .map((cell) => cell.trim()),
  );

const faults = [
  ...(rows.length === THREATS ? [] : [`expected ${THREATS} rows, got ${rows.length}`]),
  ...rows.flatMap((cells, at) => checkRow(cells, at + 1)),
];
for (const [at, line] of readFileSync(LIMITS, 'utf8').split('\n').entries()) {
  const tests = line.startsWith('|') ? (line.split('|').at(-2)?.trim() ?? '') : '';
  if (!tests.startsWith('`test/')) continue;
  faults.push(...tests.split('<br>').flatMap((test) => checkTest(test.trim(), `${LIMITS}:${at + 1}`)));
}
faults.push(...checkZoo());
for (const fault of faults) console.error(`${REGISTER}: ${fault}`);
const reached = rows.filter((cells) => CLAIMS_TESTS.get(cells[4]) === true).length;
console.log(`threats: ${rows.length} rows, ${reached} with tests, ${faults.length} faults`);
process.exit(faults.length > 0 ? 1 : 0);

function checkRow(cells, number) {
  const [shown, , threat, , state, control, tests, ...more] = cells;
  if (Number(shown) !== number) return [`row ${shown} stands where row ${number} is expected`];
  if (more.length > 0 || tests === undefined) return [`row ${number}: expected 7 columns`];
  const claims = CLAIMS_TESTS.get(state);
  if (claims === undefined) return [`row ${number}: unknown state "${state}"`];
  if (control === '') return [`row ${number}: no control for "${threat}"`];
  if (!claims) return tests === '' ? [] : [`row ${number}: "${state}", and names tests`];
  if (tests === '') return [`row ${number}: "${state}", and no test shows it`];
  return tests.split('<br>').flatMap((test) => checkTest(test.trim(), number));
}

/** What is said to be stopped is attacked, or there is a reason why it cannot be. */
function checkZoo() {
  const named = new Map(
    [...readFileSync(ZOO, 'utf8').matchAll(/^\| (\d+) \| (.+) \|$/gm)].map((row) => [row[1], row[2]]),
  );
  return rows.flatMap(([number, , , , state]) => {
    const animals = named.get(number) ?? '';
    const isSaid = /^`[a-z0-9-]+`/.test(animals) || (/^none: \S/.test(animals) && !/ yet$/.test(animals));
    return isSaid || CLAIMS_TESTS.get(state) !== true
      ? []
      : [`row ${number}: "${state}", and ${ZOO} names no animal for it`];
  });
}

function checkTest(text, number) {
  const [, file, name] = TEST.exec(text) ?? [];
  if (file === undefined) return [`row ${number}: expected \`test/…\`: name of a test, got ${text}`];
  if (!/\.(test|interop)\.ts$/.test(file) || !existsSync(file)) return [`row ${number}: there is no test file ${file}`];
  // Names are looked for where tests are named, so that a comment does not count.
  const named = [...readFileSync(file, 'utf8').matchAll(/\btest\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs)];
  return named.some((match) => match[2].includes(name)) ? [] : [`row ${number}: ${file} has no test named "${name}"`];
}
