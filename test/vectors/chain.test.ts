import assert from 'node:assert/strict';
import {
  type ChainReport,
  type ChainRow,
  chainHash,
  type EventFields,
  eventHash,
  eventText,
  linkText,
  verifyChain,
} from '../../src/core/chain.ts';
import { pythonFloatText } from '../../src/core/python-text.ts';
import { readVectors, runVectors } from './run-vectors.ts';

interface FactRow {
  id: string;
  [column: string]: unknown;
}
interface LinkRow {
  tenant_id: string;
  chain_seq: number;
  fact_id: string;
  event_hash: string;
  previous_hash: string | null;
  chain_hash: string;
  created_at: string;
}
interface Op {
  op: 'update' | 'delete' | 'insert';
  table: 'facts' | 'fact_chain';
  where?: Record<string, unknown>;
  set?: Record<string, unknown>;
  row?: Record<string, unknown>;
}
interface ChainEntry {
  chain: LinkRow;
  fact: FactRow;
  confidence_text: string;
  event_canonical: string;
  chain_canonical: string;
}
interface Chain {
  id: string;
  tenant_id: string;
  entries: ChainEntry[];
  expected: ChainReport;
}
type Report = Omit<ChainReport, 'head_hash'>;

const chains = new Map(
  (readVectors('chain').cases as unknown as Chain[]).flatMap((one) => (one.entries ? [[one.id, one] as const] : [])),
);

runVectors('chain', {
  chain({ tenant_id, entries, expected }: Chain) {
    for (const entry of entries) {
      const event = eventOf(entry.fact);
      assert.equal(pythonFloatText(event.confidence), entry.confidence_text);
      assert.equal(eventText(entry.confidence_text, event), entry.event_canonical);
      assert.equal(eventHash(event), entry.chain.event_hash);
      assert.equal(linkText(entry.chain), entry.chain_canonical);
      assert.equal(chainHash(entry.chain), entry.chain.chain_hash);
    }
    assert.deepEqual(reportOf([tenant_id, entries, []]), expected);
  },

  tamper({ chain_id, ops, expected }: { chain_id: string; ops: Op[]; expected: Report }) {
    const chain = chains.get(chain_id);
    assert.ok(chain);
    const { head_hash, ...report } = reportOf([chain.tenant_id, chain.entries, ops]);
    assert.ok(report.checked_entries > 0 || head_hash === null);
    assert.deepEqual(report, expected);
  },

  multi_tenant({ chains: ids, ops, expected }: { chains: string[]; ops: Op[]; expected: Record<string, Report> }) {
    const entries = ids.flatMap((id) => chains.get(id)?.entries ?? []);
    for (const [tenant, wanted] of Object.entries(expected)) {
      const { head_hash: _, ...report } = reportOf([tenant, entries, ops]);
      assert.deepEqual(report, wanted);
    }
  },

  event_hash({ row, confidence_text, expected }: { row: FactRow; confidence_text: string; expected: string }) {
    const event = eventOf(row);
    assert.equal(pythonFloatText(event.confidence), confidence_text);
    assert.equal(eventHash(event), expected);
  },

  chain_hash({ input, expected }: { input: Omit<LinkRow, 'chain_seq'> & { chain_seq: string }; expected: string }) {
    assert.equal(chainHash({ ...input, chain_seq: BigInt(input.chain_seq) }), expected);
  },
});

function eventOf(fact: FactRow): EventFields {
  return { ...fact, fact_id: fact.id } as unknown as EventFields;
}

/** The two tables in memory, the operations applied to them, and what verification says about one tenant. */
function reportOf([tenant, entries, ops]: [string, ChainEntry[], Op[]]): ChainReport {
  const tables = {
    facts: entries.map((entry): Record<string, unknown> => ({ ...entry.fact })),
    fact_chain: entries.map((entry): Record<string, unknown> => ({ ...entry.chain })),
  };
  for (const { op, table, where = {}, set = {}, row = {} } of ops) {
    const matches = (one: Record<string, unknown>) => Object.entries(where).every(([key, value]) => one[key] === value);
    if (op === 'update') for (const one of tables[table].filter(matches)) Object.assign(one, set);
    if (op === 'delete') tables[table] = tables[table].filter((one) => !matches(one));
    if (op === 'insert') tables[table].push({ ...row });
  }
  const links = (tables.fact_chain as unknown as LinkRow[]).filter((link) => link.tenant_id === tenant);
  links.sort((a, b) => a.chain_seq - b.chain_seq);
  return verifyChain(
    links.map((link): ChainRow => {
      const fact = tables.facts.find((one) => one['id'] === link.fact_id && one['tenant_id'] === link.tenant_id);
      return { ...link, fact: fact === undefined ? null : (fact as unknown as EventFields) };
    }),
  );
}
