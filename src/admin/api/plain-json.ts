import { isJsonNumber, isJsonObject, type JsonValue } from '../../core/json.ts';

/** A parsed body as ordinary values for a schema to look at; numbers lose the text they were written in. */
export function plain(value: JsonValue): unknown {
  if (isJsonNumber(value)) return Number(value.lexeme);
  if (Array.isArray(value)) return value.map(plain);
  if (!isJsonObject(value)) return value;
  // A member named __proto__ must become a member, not a prototype.
  return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
}
