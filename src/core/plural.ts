/** A number with what it counts: `1 fact`, `12,789 facts`. Pure. */
export function plural(value: number, one: string, many: string = `${one}s`): string {
  return `${value.toLocaleString('en')} ${value === 1 ? one : many}`;
}

/** The same as a subject: `1 entry is`, `2 entries are`. */
export function pluralIs(value: number, one: string, many: string = `${one}s`): string {
  return `${plural(value, one, many)} ${value === 1 ? 'is' : 'are'}`;
}
