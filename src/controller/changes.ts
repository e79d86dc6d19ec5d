/** Who hears that something has changed. */
import type { EventLine } from '../protocol/messages.ts';
import type { ControllerFace } from './face.ts';

/** Whoever wants to know that something has changed. */
export function changes(): Pick<ControllerFace, 'listen'> & {
  readonly changed: (event: EventLine | null) => void;
} {
  const listeners = new Set<(event: EventLine | null) => void>();
  return {
    changed: (event) => {
      for (const listener of listeners) listener(event);
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
