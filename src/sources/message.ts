/** What a source said, once its own format has been read. */
export type Message =
  | {
      readonly kind: 'recognised';
      /** `null` when the sender does not say; it counts as firing. */
      readonly status: 'firing' | 'resolved' | 'test' | null;
      /** In the sender's words. Bounded, escaped, like all text here. */
      readonly severity: string | null;
      readonly reason: string | null;
      /** The sender's name for this event. */
      readonly id: string | null;
    }
  | {
      readonly kind: 'unrecognised';
      /** In a few words. */
      readonly why: string;
    };
