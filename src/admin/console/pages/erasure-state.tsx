import { type Html, Pill, type Tone } from '../parts.tsx';

const TONE: Readonly<Record<string, Tone>> = {
  requested: 'medium',
  issued: 'medium',
  received: 'medium',
  released: 'medium',
  stopped: 'critical',
  held: 'high',
  erased: 'good',
  scrubbed: 'good',
  told: 'good',
};

export function ErasureState({ state }: { state: string }): Html {
  return <Pill tone={TONE[state] ?? ''}>{state}</Pill>;
}
