/** `portcullis emulate`. */
import { emulateCommand } from '../emulator/emulate-command.ts';
import type { ExitCode } from './exit.ts';
import { stopAsked } from './serve.ts';

/** Plays a board until it is told to stop. */
export async function emulate(
  profile: string,
  options: Omit<Parameters<typeof emulateCommand>[0], 'profile'>,
): Promise<ExitCode> {
  const stop = new AbortController();
  void stopAsked().then(() => stop.abort());
  return emulateCommand(
    { ...options, profile },
    {
      write: (text) => void process.stdout.write(text),
      writeError: (text) => void process.stderr.write(text),
      stdin: process.stdin,
      stop: stop.signal,
    },
  );
}
