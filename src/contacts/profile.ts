/**
 * What a firmware profile may say: one shape per driver. These zod schemas are the one definition; the types, the check of
 * every file and `firmware-profiles/profile.schema.json` (for editors) all come from them.
 */
import { z } from 'zod';
import { commandFindings } from './command/findings.ts';
import { commandProfile } from './command/profile.ts';
import { consoleFindings } from './console/findings.ts';
import { consoleProfile } from './console/profile.ts';
import { gpioFindings } from './gpio/findings.ts';
import { gpioProfile } from './gpio/profile.ts';
import { modbusFindings } from './modbus/findings.ts';
import { modbusProfile } from './modbus/profile.ts';
import { positionFindings, type Finding } from './profile-finding.ts';
import { serialFindings } from './serial/findings.ts';
import { serialProfile } from './serial/profile.ts';
import { snmpFindings } from './snmp/findings.ts';
import { snmpProfile } from './snmp/profile.ts';

/** The schema of one file below `firmware-profiles`. Unknown keys are errors. */
export const profileSchema = z
  .discriminatedUnion('driver', [
    commandProfile,
    consoleProfile,
    gpioProfile,
    modbusProfile,
    serialProfile,
    snmpProfile,
  ])
  .meta({ title: 'Portcullis firmware profile' });

/** One device as data. */
export type Profile = z.infer<typeof profileSchema>;

/** Everything that contradicts itself, the driver or its own examples in a profile whose shape is right. */
export function meaningFindings(profile: Profile): readonly Finding[] {
  return [...positionFindings(profile), ...driverFindings(profile)];
}

function driverFindings(profile: Profile): readonly Finding[] {
  switch (profile.driver) {
    case 'console':
      return consoleFindings(profile);
    case 'gpio':
      return gpioFindings(profile);
    case 'modbus':
      return modbusFindings(profile);
    case 'serial':
      return serialFindings(profile);
    case 'snmp':
      return snmpFindings(profile);
    case 'command':
      return commandFindings(profile);
  }
}

/** The JSON schema for editors, as text; `firmware-profiles/profile.schema.json` holds exactly this. */
export function profileJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(profileSchema, { target: 'draft-7', io: 'input' }), null, 2)}\n`;
}
