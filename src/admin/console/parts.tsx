/** What pages are made of. Whatever text comes in is shown as text: JSX escapes it. */
import type { Child } from 'hono/jsx';
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Severity } from '../../core/severity.ts';
import type { Answer } from './ask.ts';
import { agoText, instantText, readable, untilText } from './words.ts';

export type Html = JSX.Element;

export type Tone = 'critical' | 'high' | 'medium' | 'low' | 'good' | 'accent' | '';

export function Pill({ tone, children }: { tone: Tone; children: Child }): Html {
  return <span class={`pill ${tone}`}>{children}</span>;
}

const SEVERITY_TONE: Readonly<Record<Severity, Tone>> = {
  critical: 'critical',
  high: 'high',
  medium: 'medium',
  low: 'low',
  info: '',
};

export function SeverityPill({ severity }: { severity: Severity }): Html {
  return <Pill tone={SEVERITY_TONE[severity]}>{severity}</Pill>;
}

/** @param live an id under which the page's script brings this part up to date */
export function Panel(props: { title: string; aside?: Child; live?: string; wide?: string; children?: Child }): Html {
  const { title, aside, live, wide, children } = props;
  return (
    <section
      class={`panel ${wide ?? ''}`}
      aria-label={title}
      {...(live === undefined ? {} : { id: live, 'data-live': '' })}
    >
      <header>
        <h2>{title}</h2>
        {aside === undefined ? null : <span class="muted small">{aside}</span>}
      </header>
      {children}
    </section>
  );
}

export function Body({ children }: { children: Child }): Html {
  return <div class="body">{children}</div>;
}

export function Empty({ children }: { children: Child }): Html {
  return <p class="empty">{children}</p>;
}

export interface Column {
  readonly name: string;
  readonly num?: boolean;
  /** For those who do not see the table. */
  readonly unseen?: boolean;
}

/** @param rows cells of table rows, already made; the first of each is its header */
export function Table(props: { label: string; columns: readonly Column[]; children: Child }): Html {
  // Focusable: who has no mouse scrolls a wide table with the arrow keys.
  return (
    <div class="scroll" role="group" tabindex={0} aria-label={props.label}>
      <table>
        <thead>
          <tr>
            {props.columns.map(({ name, num, unseen }) => (
              <th scope="col" class={num === true ? 'num' : ''}>
                {unseen === true ? <span class="sr">{name}</span> : name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

export function Pairs({ pairs }: { pairs: readonly (readonly [string, Child])[] }): Html {
  return (
    <dl class="pairs">
      {pairs.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  );
}

/** A moment, as how long ago it was; the exact one where a pointer or a screen reader asks. */
export function Ago({ at, nowMs }: { at: string | null; nowMs: number }): Html {
  if (at === null) return <span class="muted">never</span>;
  return (
    <time datetime={at} title={instantText(at)} class="nowrap">
      {agoText(at, nowMs)}
    </time>
  );
}

export function Until({ at, nowMs }: { at: string | null; nowMs: number }): Html {
  if (at === null) return <span class="muted nowrap">no end</span>;
  return (
    <time datetime={at} title={instantText(at)} class="nowrap">
      {untilText(at, nowMs)}
    </time>
  );
}

export function Code({ children }: { children: Child }): Html {
  return <code class="wrap">{children}</code>;
}

/** A sentence of the node: what stands between backticks is to be typed. */
export function Sentence({ text }: { text: string }): Html {
  const parts = readable(text).split('`');
  return <>{parts.map((part, i) => (i % 2 === 1 && i < parts.length - 1 ? <code class="wrap">{part}</code> : part))}</>;
}

/** The head and the tail of a hash, the whole of it where somebody points at it. */
export function Short({ text }: { text: string }): Html {
  if (text.length <= 22) return <code class="nowrap">{text}</code>;
  return (
    <code class="nowrap" title={text}>
      {text.slice(0, 13)}…{text.slice(-6)}
    </code>
  );
}

/** What an answer has, or why there is none. */
export function Part<T>({ answer, show }: { answer: Answer<T>; show: (value: T) => Html }): Html {
  if (answer.ok) return show(answer.value);
  return <Empty>{answer.status === 403 ? `Not shown: ${answer.message}.` : answer.message}</Empty>;
}

export function Field(props: { label: string; grow?: boolean; children: Child }): Html {
  return (
    <label class={`field ${props.grow === true ? 'grow' : ''}`}>
      {props.label}
      {props.children}
    </label>
  );
}

/** A text field of a filter; the first of them is where the key `/` leads. */
export function FilterText(props: { name: string; label: string; value: string; isFirst: boolean }): Html {
  return (
    <Field label={props.label} grow>
      <input
        name={props.name}
        value={props.value}
        autocomplete="off"
        spellcheck={false}
        {...(props.isFirst ? { 'data-filter': '' } : {})}
      />
    </Field>
  );
}

export function Select(props: { name: string; value: string; options: readonly (readonly [string, string])[] }): Html {
  return (
    <select name={props.name}>
      {props.options.map(([value, label]) => (
        <option value={value} selected={value === props.value}>
          {label}
        </option>
      ))}
    </select>
  );
}

/** A form that changes something: it carries the session's token. */
export function ActionForm(props: { action: string; csrf: string; class?: string; children: Child }): Html {
  return (
    <form method="post" action={props.action} class={props.class ?? 'form'}>
      <input type="hidden" name="_csrf" value={props.csrf} />
      {props.children}
    </form>
  );
}

/** What is there when somebody asks for it. */
export function Folded({ summary, children }: { summary: string; children: Child }): Html {
  return (
    <details>
      <summary>{summary}</summary>
      {children}
    </details>
  );
}

/** Why, for the audit log. */
export function Reason({ required = true }: { required?: boolean }): Html {
  return (
    <Field label="Reason, for the audit log" grow>
      <input name="reason" required={required} maxlength={500} autocomplete="off" />
    </Field>
  );
}

/** A step that needs a reason and nothing else. */
export function ReasonedStep(props: {
  readonly action: string;
  readonly csrf: string;
  readonly button: string;
  /** How the button looks: `danger` for what is not easily taken back. */
  readonly look: 'main' | 'danger';
}): Html {
  return (
    <ActionForm action={props.action} csrf={props.csrf}>
      <Reason />
      <div class="actions">
        <button class={props.look} type="submit">
          {props.button}
        </button>
      </div>
    </ActionForm>
  );
}
