/** Which key a browser takes a node to have: the first that it was shown, so that a node cannot quietly become another one. */

export interface Trusted {
  readonly peerId: string;
  readonly sentence: string;
}

export function trustedPeerId(nodeId: string, claimed: string): Trusted {
  const name = `stigmem.peer-id.${nodeId}`;
  const kept = localStorage.getItem(name);
  if (kept === null) {
    localStorage.setItem(name, claimed);
    return {
      peerId: claimed,
      sentence: `Trusted from now on in this browser: ${nodeId} is ${claimed}. Compare it with what its operator gave you.`,
    };
  }
  if (kept === claimed) return { peerId: kept, sentence: `By the key that this browser knows ${nodeId} by: ${kept}.` };
  return {
    peerId: kept,
    sentence: `The node now claims to be ${claimed}, and this browser knows it as ${kept}: that key decides.`,
  };
}
