import type { Channel } from './exchange.ts';
import type { Contact, IsolateReceipt } from './port.ts';

/** What several contacts hang on and what can isolate them together. */
export interface CutGroup {
  /** One receipt per channel, in order; returns without waiting. Never throws. */
  isolate(channels: readonly Channel[]): readonly IsolateReceipt[];
}

/** A contact that shares its wire with others. */
export interface GroupedContact extends Contact {
  readonly group: CutGroup;
  readonly channel: Channel;
}

const isGrouped = (contact: Contact): contact is GroupedContact => 'group' in contact && 'channel' in contact;

/**
 * Isolates all `contacts`: when this returns, every bus that was idle has its first frame with the kernel, and the rest
 * stands before everything else. Contacts that share a bus are handed to it together, so that one frame can cut a whole
 * board. No bus waits for another. Receipts come in the order of `contacts`.
 */
export function cut(contacts: readonly Contact[]): readonly IsolateReceipt[] {
  const groups = new Map<CutGroup, GroupedContact[]>();
  const receipts = new Map<Contact, IsolateReceipt>();
  for (const contact of contacts) {
    if (!isGrouped(contact)) {
      receipts.set(contact, contact.isolate());
      continue;
    }
    const mates = groups.get(contact.group);
    if (mates === undefined) groups.set(contact.group, [contact]);
    else if (!mates.includes(contact)) mates.push(contact);
  }
  for (const [group, mates] of groups) {
    const given = group.isolate(mates.map((mate) => mate.channel));
    mates.forEach((mate, index) => receipts.set(mate, present(given[index])));
  }
  return contacts.map((contact) => present(receipts.get(contact)));
}

function present(receipt: IsolateReceipt | undefined): IsolateReceipt {
  if (receipt === undefined) throw new Error('a contact was cut without a receipt');
  return receipt;
}
