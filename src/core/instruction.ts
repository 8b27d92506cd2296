/** What an agent might follow as an order: by its own word, or by what it says it is about. */
interface Interpreted {
  readonly interpret_as: string;
  readonly relation: string;
  readonly entity: string;
}

const PREFIX = 'instruction:';

/** One rule for what a peer sends, which is then hidden, and for what a key of our own writes, which needs a permission. */
export function isInstruction({ interpret_as, relation, entity }: Interpreted): boolean {
  return interpret_as === 'instruction' || relation.startsWith(PREFIX) || entity.startsWith(PREFIX);
}
