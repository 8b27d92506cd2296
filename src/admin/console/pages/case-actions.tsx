/** The steps that a case can take now, for who may take them. */
import { CASE_MOVES, type CaseMove } from '../../../core/case-state.ts';
import type { ShownCase } from '../../api/case-schemas.ts';
import { path } from '../ask.ts';
import type { Frame } from '../layout.tsx';
import { ActionForm, Body, Field, type Html, Panel } from '../parts.tsx';
import { MOVE_WORD, Suppression, Verdict, Why } from './case-form.tsx';

interface Given {
  readonly held: ShownCase;
  readonly frame: Frame;
}

export function CaseActions({ held, frame }: Given): Html {
  const can = (move: CaseMove): boolean => CASE_MOVES[move].from.includes(held.state);
  return (
    <Panel title="Act">
      <Body>
        <div class="stack">
          <div class="actions">
            {can('acknowledge') ? <Plain move="acknowledge" held={held} frame={frame} /> : null}
            {can('investigate') ? <Plain move="investigate" held={held} frame={frame} /> : null}
          </div>
          <Step move="note" held={held} frame={frame}>
            <Field label="Note">
              <textarea name="why" required maxlength={500} data-note="" />
            </Field>
          </Step>
          {can('resolve') ? (
            <Folded move="resolve" held={held} frame={frame}>
              <div class="form two">
                <Verdict />
                <Why required label="What it was" />
              </div>
            </Folded>
          ) : null}
          {can('wait') ? (
            <Folded move="wait" held={held} frame={frame}>
              <Why required label="What the peer has to do" />
            </Folded>
          ) : null}
          <Folded move="assign" held={held} frame={frame}>
            <Field label="To; empty: nobody">
              <input
                name="assignee"
                value={held.assignee ?? frame.session.holder.name}
                maxlength={200}
                autocomplete="off"
              />
            </Field>
          </Folded>
          <Folded move="ticket" held={held} frame={frame}>
            <Field label="Address or number; empty: none">
              <input name="ticket" value={held.ticket ?? ''} maxlength={200} autocomplete="off" />
            </Field>
          </Folded>
          {can('suppress') ? (
            <Folded move="suppress" held={held} frame={frame}>
              <div class="form two">
                <Suppression owner={frame.session.holder.name} />
                <Why required />
              </div>
            </Folded>
          ) : null}
          {can('reopen') ? (
            <Folded move="reopen" held={held} frame={frame}>
              <Why required />
            </Folded>
          ) : null}
        </div>
      </Body>
    </Panel>
  );
}

type StepProps = Given & { readonly move: CaseMove; readonly children?: Html };

function Step({ move, held, frame, children }: StepProps): Html {
  return (
    <ActionForm action={path`/console/cases/${held.id}/` + move} csrf={frame.session.csrf}>
      <input type="hidden" name="version" value={held.version} />
      {children ?? null}
      <div class="actions">
        <button class={move === 'resolve' ? 'main' : ''} type="submit">
          {MOVE_WORD[move]}
        </button>
      </div>
    </ActionForm>
  );
}

function Plain({ move, held, frame }: StepProps): Html {
  return (
    <ActionForm action={path`/console/cases/${held.id}/` + move} csrf={frame.session.csrf} class="actions">
      <input type="hidden" name="version" value={held.version} />
      <button
        class={move === 'acknowledge' ? 'main' : ''}
        type="submit"
        {...(move === 'acknowledge' ? { 'data-acknowledge': '' } : {})}
      >
        {MOVE_WORD[move]}
      </button>
    </ActionForm>
  );
}

function Folded(props: StepProps): Html {
  return (
    <details>
      <summary>{MOVE_WORD[props.move]}</summary>
      <Step {...props} />
    </details>
  );
}
