import { authorityOf, isNodeId } from '../../core/node-id.ts';
import { parseIsoInstant } from '../../core/time.ts';
import { type Db, prepare, sqlBuilder } from '../database.ts';
import type { SignedHead } from '../signed-heads.ts';
import type { LogName } from '../tables.ts';
import { changedColumn, type Fault, type FsckContext, reportRow, type StoredRow } from './context.ts';
import { originOf } from './notes.ts';

const ORIGIN = /^(.+)\/(journal|audit)\/[0-9a-f]{16}$/;
const KEYS = ['node_id', 'journal_origin', 'audit_origin', 'created_at'] as const;

/** Identity of the node: the keys that `init` wrote and nothing else, each of its form, all of one authority. */
export function checkMeta(ctx: FsckContext): void {
  const rows = new Map(metaRows(ctx.db).map((row) => [row.key, row]));
  const node = rows.get('node_id');
  const isNodeIntact = node !== undefined && changedColumn('meta', node) === undefined;
  const authority = isNodeIntact ? authorityOf(node.value) : null;
  for (const key of KEYS) {
    if (rows.has(key)) continue;
    const detail = `the journal has no ${key}`;
    ctx.findings.problem({ table: 'meta', row: key, field: 'key', code: 'row_missing', detail });
  }
  for (const row of rows.values()) {
    reportRow(ctx, 'meta', row.key, changedColumn('meta', row), judge(row.key, row.value, authority));
  }
}

function judge(key: string, value: string, authority: string | null): Fault | undefined {
  const isRight = isOfForm(key, value, authority);
  if (isRight === true) return undefined;
  if (isRight === undefined) return { code: 'row_unexpected', field: 'key', detail: 'this program wrote no such row' };
  return { code: 'meta_malformed', field: 'value', detail: `"${value}" cannot be a ${key} of this node` };
}

function isOfForm(key: string, value: string, authority: string | null): boolean | undefined {
  switch (key) {
    case 'node_id':
      return isNodeId(value);
    case 'created_at':
      return parseIsoInstant(value).ok;
    case 'journal_origin':
    case 'audit_origin': {
      const [, owner, log] = ORIGIN.exec(value) ?? [];
      return (authority === null || owner === authority) && `${log}_origin` === key;
    }
    default:
      return undefined;
  }
}

/**
 * Name of a log. If its row in `meta` was changed, the name under which the last checkpoint was signed: one changed row
 * must not make every signature look wrong.
 */
export function trustedOrigin(db: Db, log: LogName, head: SignedHead | null): string | null {
  const row = metaRows(db).find(({ key }) => key === `${log}_origin`);
  if (row !== undefined && changedColumn('meta', row) === undefined) return row.value;
  return (head === null ? undefined : originOf(head.note, 0)) ?? row?.value ?? null;
}

function metaRows(db: Db): StoredRow<'meta'>[] {
  return prepare<[], StoredRow<'meta'>>(db, sqlBuilder.selectFrom('meta').selectAll().orderBy('key')).all();
}
