/** Actions that one person has proposed and another has to approve. */
import { type Proposal, paramWords } from '../../../core/approval.ts';
import { caseOfSubject } from '../../../core/case-report.ts';
import { tellApart } from '../../../core/person.ts';
import type { Proposals } from '../answers.ts';
import { path } from '../ask.ts';
import type { Frame } from '../layout.tsx';
import { ActionForm, Empty, type Html, Panel, Reason, Table, Until } from '../parts.tsx';

/** @param back where to go after a decision; else to the settings */
export function Approvals({
  proposals,
  frame,
  back = '',
}: {
  proposals: Proposals;
  frame: Frame;
  back?: string;
}): Html {
  const { four_eyes: needed, proposals: open, has_more: hasMore } = proposals;
  return (
    <Panel
      title="Waiting for a second person"
      aside={needed.length === 0 ? '' : `two persons for ${needed.join(', ')}`}
      live="approvals"
    >
      {open.length === 0 ? (
        <Empty>{hasMore ? OLDER : nothingWaits(needed)}</Empty>
      ) : (
        <Table
          label="Proposals"
          columns={[
            { name: 'What' },
            { name: 'To' },
            { name: 'Why' },
            { name: 'By' },
            { name: 'Ends' },
            { name: 'Decide' },
          ]}
        >
          {open.map((proposal) => (
            <tr>
              <th scope="row">{proposal.action}</th>
              <td class="wrap">
                <Exactly proposal={proposal} />
              </td>
              <td class="wrap">{proposal.reason}</td>
              <td class="wrap">{proposal.proposed_by}</td>
              <td>
                <Until at={proposal.expires_at} nowMs={frame.nowMs} />
              </td>
              <td>
                <Decide proposal={proposal} frame={frame} back={back} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {hasMore && open.length > 0 ? <p>{OLDER}</p> : null}
    </Panel>
  );
}

const OLDER = 'There are older proposals than these, open or not: stigmem-peerd approval list shows the open ones.';

function nothingWaits(needed: readonly string[]): string {
  return needed.length === 0 ? 'No action needs two persons here: review.four_eyes names none.' : 'Nothing waits.';
}

/** What is approved: the subject, and every parameter. */
function Exactly({ proposal: { subject, params } }: { proposal: Proposal }): Html {
  const at = pageOfSubject(subject);
  return (
    <>
      {at === null ? subject : <a href={at}>{subject}</a>}
      {paramWords(params).map(([name, value]) => (
        <div class="small">
          <span class="muted">{name}</span> {value}
        </div>
      ))}
    </>
  );
}

function pageOfSubject(subject: string): string | null {
  const held = caseOfSubject(subject);
  if (held !== null) return path`/console/cases/${held}`;
  const entry = /^entry:([1-9][0-9]{0,14})$/.exec(subject)?.[1];
  return entry === undefined ? null : path`/console/entries/${entry}`;
}

function Decide({ proposal, frame, back }: { proposal: Proposal; frame: Frame; back: string }): Html {
  const { holder, csrf } = frame.session;
  if (!frame.ask.mayAny(['review', 'admin:federation'])) return <span class="muted">not with this key</span>;
  const isOwn = tellApart(proposal.proposed_by, holder.actor) === 'same';
  const at = (verb: string): string => path`/console/approvals/${proposal.id}/` + verb;
  return (
    <details>
      <summary aria-label={`Decide about proposal ${proposal.id}`}>{isOwn ? 'Withdraw' : 'Decide'}</summary>
      <ActionForm action={at(isOwn ? 'withdraw' : 'approve')} csrf={csrf}>
        <input type="hidden" name="back" value={back} />
        <Reason />
        <div class="actions">
          {isOwn ? (
            <button type="submit">Withdraw</button>
          ) : (
            <>
              <button class="main" type="submit">
                Approve
              </button>
              <button class="danger" type="submit" formaction={at('reject')}>
                Reject
              </button>
            </>
          )}
        </div>
      </ActionForm>
    </details>
  );
}
