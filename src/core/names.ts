/**
 * What a plain record holds under this name, and nothing that records have by themselves: a link may be called `constructor`. For
 * names from the configuration, the journal and requests.
 */
export const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
