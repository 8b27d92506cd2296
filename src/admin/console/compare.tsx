/** What was claimed against what was computed, side by side, from the first difference on marked. */
import { firstDifference } from './first-difference.ts';
import type { Html } from './parts.tsx';

/** Around a difference in a long text, so that it is seen without looking for it. */
const KEPT_BEFORE = 160;

export function Compare({ claimed, computed }: { claimed: unknown; computed: unknown }): Html {
  const left = textOf(claimed);
  const right = textOf(computed);
  const at = firstDifference(left, right);
  return (
    <div class="compare">
      <Side title="Claimed" text={left} at={at} side="left" />
      <Side title="Computed here" text={right} at={at} side="right" />
    </div>
  );
}

function Side({ title, text, at, side }: { title: string; text: readonly string[]; at: number; side: string }): Html {
  const from = Math.max(0, at - KEPT_BEFORE);
  return (
    <div class={side}>
      <h3>{title}</h3>
      <pre tabindex={0} aria-label={title}>
        <span class="same">
          {from > 0 ? '…' : ''}
          {text.slice(from, at).join('')}
        </span>
        {at < text.length ? (
          <mark>{text.slice(at).join('')}</mark>
        ) : at > 0 ? (
          <mark title="ends here">⏹</mark>
        ) : (
          <mark>nothing</mark>
        )}
      </pre>
    </div>
  );
}

/** Characters, not halves of them. */
function textOf(value: unknown): readonly string[] {
  if (value === null || value === undefined) return [];
  return [...(typeof value === 'string' ? value : JSON.stringify(value, null, 1))];
}
