import type { CommissioningStatus } from '../../protocol/messages.ts';
import type { CommissioningBook } from './book.ts';
import type { RecordRead } from './record.ts';

/** The commissioning of a link as status pages show it. */
export function commissioningShown(
  book: Pick<CommissioningBook, 'record' | 'refusal'>,
  link: string,
): CommissioningStatus {
  const read = book.record(link);
  switch (read.kind) {
    case 'missing':
      return { state: 'never', at: null, grade: null };
    case 'unreadable':
    case 'wrong-signature':
      return { state: 'unreadable', at: null, grade: null };
    case 'read': {
      const { at, grade, verdict } = read.record;
      if (verdict === 'failed') return { state: 'failed', at, grade };
      return { state: book.refusal(link) === null ? 'passed' : 'outdated', at, grade };
    }
  }
}

/** The contacts that a record which passed says were proven. */
export const provenBy = (read: RecordRead): readonly string[] =>
  read.kind === 'read' && read.record.verdict === 'passed'
    ? read.record.contacts.filter(({ isolates_alone }) => isolates_alone === 'proven').map(({ name }) => name)
    : [];
