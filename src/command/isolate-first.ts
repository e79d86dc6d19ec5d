/** `portcullis isolate --all`. After a death under systemd the first frames wait for no configuration: see cut-plan.ts. */

/** Isolates everything, as the configuration says; first, where systemd calls this after the interlock, as its plan says. */
export async function isolateFirst(file: string, json: boolean): Promise<void> {
  // systemd sets the second for ExecStopPost= alone: everybody else asks the interlock that runs.
  const { RUNTIME_DIRECTORY: directory, SERVICE_RESULT: ended } = process.env;
  if (directory !== undefined && ended !== undefined) {
    const { cutByPlan } = await import('../interlock/last-resort/cut-plan.ts');
    await cutByPlan(directory);
  }
  const { isolateEverything } = await import('./isolate.ts');
  await isolateEverything(file, json);
}
