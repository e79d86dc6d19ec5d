/** Where `portcullis` looks when nobody names a file. */
export const DEFAULT_CONFIG_FILE = '/etc/portcullis/portcullis.yaml';
