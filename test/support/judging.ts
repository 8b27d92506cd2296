/** Runs the rules over a page, as the pull path does, without network and journal. */
import assert from 'node:assert/strict';
import type { PageContext } from '../../src/verify/context.ts';
import {
  factIdsOf,
  type InclusionPaths,
  judgePage,
  type PageVerdict,
  type VerifiedBatch,
} from '../../src/verify/judge.ts';
import { type OpenedPage, openPage } from '../../src/verify/page.ts';
import type { PagePutOff } from '../../src/verify/relay-rules.ts';
import type { SeenFact } from '../../src/verify/seen-fact.ts';
import type { SignedPageFrames } from '../../src/wire/page.ts';

export function opened(frames: SignedPageFrames, ctx: PageContext): OpenedPage {
  const page = openPage(frames, ctx);
  assert.ok(page.ok, page.ok ? '' : JSON.stringify(page.error));
  return page.value;
}

export function judge(
  frames: SignedPageFrames,
  ctx: PageContext,
  seen: readonly SeenFact[] = [],
  inclusion?: InclusionPaths,
): PageVerdict | PagePutOff {
  const page = openPage(frames, ctx);
  if (!page.ok) return page.error;
  const ids = new Set(factIdsOf(page.value));
  const known = new Map(seen.filter(({ fact_id }) => ids.has(fact_id)).map((fact) => [fact.fact_id, fact]));
  return judgePage(page.value, known, inclusion);
}

export function judged(
  frames: SignedPageFrames,
  ctx: PageContext,
  seen: readonly SeenFact[] = [],
  inclusion?: InclusionPaths,
): VerifiedBatch {
  const verdict = judge(frames, ctx, seen, inclusion);
  assert.ok(verdict.kind === 'verified', JSON.stringify(verdict));
  return verdict.batch;
}
