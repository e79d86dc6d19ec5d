import type { Frames } from './frames.ts';

/** ms that the bytes of an example take on the serial line of its board; 0 over a network. */
export function bytesOnLineMs(frames: Frames, example: string): number {
  const line = frames.profile.serial;
  if (line === undefined || example === '') return 0;
  const bits = 1 + line.data_bits + (line.parity === 'none' ? 0 : 1) + line.stop_bits;
  return (frames.literal(example).length * bits * 1000) / line.baud;
}
