/** The checksum at the end of an RTU frame. Pure. */
import { mismatch, type FrameFault } from './pdu.ts';

const CRC_TABLE: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  return crc;
});

/** CRC-16/Modbus of `bytes`; goes on the wire low byte first. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return crc;
}

/** What is wrong with the checksum of a whole RTU frame, `null` when it fits. */
export function crcFault(frame: Buffer): FrameFault | null {
  const wanted = crc16(frame.subarray(0, -2));
  const got = frame.readUInt16LE(frame.length - 2);
  return wanted === got ? null : mismatch('crc', 'CRC', wanted, got);
}
