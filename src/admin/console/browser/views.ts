/** Views of cases that somebody has saved: names of filters, kept in this browser, shown beside those that everybody has. */

const KEPT = 'stigmem.console.views';
const MOST = 20;

interface View {
  readonly name: string;
  readonly query: string;
}

export function startViews(): void {
  const place = document.querySelector('[data-views]');
  const form = document.querySelector<HTMLFormElement>('[data-view-form]');
  const save = document.querySelector<HTMLButtonElement>('[data-save-view]');
  if (place === null || form === null || save === null) return;
  save.hidden = false;
  save.addEventListener('click', () => {
    const name = prompt('Name of the view')?.trim();
    if (name === undefined || name === '') return;
    keep([...kept().filter((view) => view.name !== name), { name, query: queryOf(form) }].slice(-MOST));
    show(place);
  });
  show(place);
}

function queryOf(form: HTMLFormElement): string {
  const fields = [...new FormData(form)].filter(([, value]) => typeof value === 'string' && value !== '');
  return new URLSearchParams(fields as [string, string][]).toString();
}

function show(place: Element): void {
  for (const old of place.querySelectorAll('[data-own]')) old.remove();
  for (const { name, query } of kept()) {
    const item = document.createElement('li');
    item.dataset['own'] = '';
    const link = document.createElement('a');
    link.textContent = name;
    link.href = `/console/cases?${query}`;
    const forget = document.createElement('button');
    forget.type = 'button';
    forget.className = 'quiet';
    forget.textContent = '×';
    forget.ariaLabel = `Forget the view ${name}`;
    forget.addEventListener('click', () => {
      keep(kept().filter((view) => view.name !== name));
      show(place);
    });
    item.append(link, forget);
    place.append(item);
  }
}

function kept(): readonly View[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '[]');
    return Array.isArray(found) ? found.filter(isView) : [];
  } catch {
    return [];
  }
}

function isView(value: unknown): value is View {
  const { name, query } = (value ?? {}) as Partial<Record<keyof View, unknown>>;
  return typeof name === 'string' && typeof query === 'string';
}

function keep(views: readonly View[]): void {
  localStorage.setItem(KEPT, JSON.stringify(views));
}
