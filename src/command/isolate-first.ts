/** `portcullis isolate --all`. After a death under systemd the first frames wait for no configuration: see cut-plan.ts. */

/** Isolates everything, as the configuration says; first, where systemd calls this after the interlock, as its plan says. */
export async function isolateFirst(file: string, json: boolean): Promise<void> {
  // systemd sets this for ExecStopPost= alone: everybody else asks the interlock that runs.
  if (process.env['SERVICE_RESULT'] !== undefined) await isolateByPlan();
  const { isolateEverything } = await import('./isolate.ts');
  await isolateEverything(file, json);
}

/** Isolates as the plan of the last interlock says, where systemd says in which directory it lies. */
export async function isolateByPlan(): Promise<void> {
  const { STATE_DIRECTORY: directory } = process.env;
  if (directory === undefined) return;
  const { cutByPlan } = await import('../interlock/last-resort/cut-plan.ts');
  await cutByPlan(directory);
}
