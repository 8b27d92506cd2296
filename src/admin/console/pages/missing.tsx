import type { Shown } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import { Body, Empty, Panel } from '../parts.tsx';

/** The page of something that is not there, or not for this person. */
export function missing(
  frame: Frame,
  at: string,
  { status, message }: { readonly status: number; readonly message: string },
  erasure: string | null = null,
): Shown {
  const title =
    status === 403 ? 'Not for this key' : status === 404 ? 'Not found' : status === 410 ? 'Erased' : 'Not shown';
  const html = (
    <Page frame={frame} at={at} title={title}>
      <Panel title="Why">
        <Empty>{message}.</Empty>
        {erasure === null || !frame.ask.mayAny(['admin', 'legal.hold']) ? null : (
          <Body>
            <a class="button" href={erasure}>
              How its erasure stands
            </a>
          </Body>
        )}
      </Panel>
    </Page>
  );
  return { status, html };
}
