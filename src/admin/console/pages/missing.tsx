import type { Shown } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import { Empty, Panel } from '../parts.tsx';

/** The page of something that is not there, or not for this person. */
export function missing(
  frame: Frame,
  at: string,
  { status, message }: { readonly status: number; readonly message: string },
): Shown {
  const title = status === 403 ? 'Not for this key' : status === 404 ? 'Not found' : 'Not shown';
  const html = (
    <Page frame={frame} at={at} title={title}>
      <Panel title="Why">
        <Empty>{message}.</Empty>
      </Panel>
    </Page>
  );
  return { status, html };
}
