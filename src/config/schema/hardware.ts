/** Buses, contacts and witnesses, as the file writes them. */
import { z } from 'zod';
import { absolutePath, duration, interfaceName, name, port } from './fields.ts';

const host = z.string().min(1).max(253);
/** The name of something on a switch or an agent: printable, no line ends that a console would obey. */
const portName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,63}$/,
    'a port name has letters, digits and . _ : / -, such as GigabitEthernet1/0/1',
  );
const word = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,99}$/, 'a word of letters, digits and . _ : / @ + -');
const secretFile = (what: string) => absolutePath.describe(`file that holds ${what} on its first line`);

const login = z
  .strictObject({
    username: z.string().min(1).max(64).exactOptional().describe('user name at the prompt'),
    password_file: secretFile('the password').exactOptional(),
    enable_password_file: secretFile('the password of the privileged mode').exactOptional(),
  })
  .exactOptional()
  .describe("how to be let in, when this is a switch's console");

const serialLine = {
  baud: z.int().min(300).max(1_000_000).exactOptional().describe("bits per second; default: the profile's"),
  parity: z.enum(['none', 'even', 'odd']).exactOptional().describe("default: the profile's"),
  stop_bits: z.literal([1, 2]).exactOptional().describe("1 or 2; default: the profile's"),
};

const simulated = z
  .boolean()
  .default(false)
  .describe('true when the devices on this bus are emulated: nothing on it counts as proven');

const answering = {
  reply_timeout: duration(20, 10_000)
    .exactOptional()
    .describe("how long a device may take to answer; default: the profile's"),
  simulated,
};

const snmpCredentials = z.discriminatedUnion('version', [
  z.strictObject({
    version: z
      .literal('2c')
      .describe('anybody on the wire can read the community: only on a network of its own'),
    community_file: secretFile('the community'),
  }),
  z
    .strictObject({
      version: z.literal('3').describe('authenticated and encrypted (authPriv)'),
      user: z.string().min(1).max(32).describe('user name at the agent'),
      auth: z.enum(['sha', 'sha256', 'sha512']).describe('how requests are authenticated'),
      auth_key_file: secretFile('the authentication pass phrase'),
      privacy: z.enum(['aes', 'aes256']).describe('how requests are encrypted'),
      privacy_key_file: secretFile('the encryption pass phrase'),
    })
    .refine(({ auth, privacy }) => auth !== 'sha' || privacy !== 'aes256', {
      path: ['privacy'],
      error: 'a key of SHA-1 is too short for aes256: write auth: sha256 or sha512, or privacy: aes',
    }),
]);

/** A wire to devices. */
export const bus = z.discriminatedUnion('transport', [
  z.strictObject({
    transport: z.literal('modbus-tcp').describe('Modbus TCP: one connection to the board or its gateway'),
    host: host.describe('address or host name of the board'),
    port: port.default(502).describe('TCP port of the board'),
    ...answering,
  }),
  z.strictObject({
    transport: z.literal('rtu-over-tcp').describe('RTU frames in a TCP stream (a transparent serial server)'),
    host: host.describe('address or host name of the serial server'),
    port: port.describe('TCP port of the serial server'),
    ...answering,
  }),
  z.strictObject({
    transport: z.literal('modbus-rtu').describe('Modbus RTU on a serial device'),
    device: absolutePath.describe('serial device, best by its stable name under /dev/serial/by-id'),
    ...serialLine,
    ...answering,
  }),
  z.strictObject({
    transport: z.literal('serial').describe("a serial device: a relay board, or a switch's console"),
    device: absolutePath.describe('serial device, best by its stable name under /dev/serial/by-path'),
    ...serialLine,
    login,
    ...answering,
  }),
  z.strictObject({
    transport: z.literal('tcp').describe("a plain TCP stream: a relay board, or a switch's console server"),
    host: host.describe('address or host name of the board or console server'),
    port: port.describe('its TCP port'),
    login,
    ...answering,
  }),
  z.strictObject({
    transport: z.literal('gpio').describe('the GPIO lines of one chip of this machine'),
    chip: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}$/, 'a chip is named by its label, such as pinctrl-bcm2711')
      .describe('label of the chip, never its number (`gpiodetect` prints labels)'),
    access: z
      .enum(['auto', 'sysfs', 'character-device'])
      .default('auto')
      .describe('how lines are driven; auto: sysfs where the kernel has it, else the character device'),
    simulated,
  }),
  z.strictObject({
    transport: z.literal('snmp').describe('an SNMP agent'),
    host: host.describe('address or host name of the agent'),
    port: port.default(161).describe('UDP port of the agent'),
    credentials: snmpCredentials.describe('who we are to the agent'),
    ...answering,
  }),
  z.strictObject({
    transport: z.literal('command').describe('programs on this machine, one at a time'),
    simulated,
  }),
]);

const unit = z.int().min(1).max(255).describe('unit (station, card) address on the bus');

const usbId = z.string().regex(/^[0-9a-f]{4}$/, 'four hexadecimal digits, lower case');

/** One switchable element of a link. */
export const contact = z.strictObject({
  name: name.describe('name of this contact, unique within the link'),
  profile: z.string().min(1).max(100).describe('firmware profile, as `portcullis profile list` prints it'),
  bus: name.describe('name of the bus under `buses`'),
  unit: unit.exactOptional(),
  channel: z.int().min(1).max(256).exactOptional().describe('relay channel, from 1'),
  line: z
    .int()
    .min(0)
    .max(1023)
    .exactOptional()
    .describe('GPIO line: its offset on the chip (on a Raspberry Pi the BCM number)'),
  port: portName.exactOptional().describe('port of a switch, as the switch names it'),
  parameters: z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,30}$/), word)
    .exactOptional()
    .describe("words that the profile's command asks for"),
  wiring: z
    .enum(['normally-open', 'normally-closed'])
    .default('normally-open')
    .describe('which contact of the relay the link runs through; only a normally-open one falls to isolated'),
  accept_reset_pull: z
    .string()
    .max(200)
    .exactOptional()
    .describe('the sentence that takes a pin whose pull at reset energises the relay; `check` says which'),
  hardware_lease: z
    .union([z.literal('none'), duration(100)], 'write a duration such as 10s, or none')
    .exactOptional()
    .describe("how long the board itself stays connected without renewal, or `none`; default: the profile's"),
});

/** Independent evidence. */
export const witness = z.discriminatedUnion('type', [
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('carrier').describe('carrier of a network interface'),
    interface: interfaceName.describe('network interface towards the vault'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('path').describe('a path that exists only while connected'),
    path: absolutePath.describe('the path to look for'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('block-device').describe('a block device that exists only while connected'),
    device: absolutePath.describe('block device, best by its stable name under /dev/disk/by-id'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('tcp').describe('a TCP port of the vault that answers only while connected'),
    host: z.string().min(1).max(253).describe('address or host name of the vault'),
    port: port.describe('TCP port of the vault'),
    timeout: duration(50, 10_000).default(1_000).describe('how long a connection attempt may take'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('modbus-discrete-input').describe('a mirror contact wired to an input of a Modbus board'),
    bus: name.describe('name of the bus under `buses`'),
    unit,
    input: z.int().min(0).max(65_535).describe('address of the discrete input, as on the wire'),
    isolated_when: z.literal([0, 1]).describe('what the input reads while the link is isolated'),
    mirrors: name
      .exactOptional()
      .describe('the contact whose mirror contact this is; left out, it sees the whole link'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('gpio').describe('a mirror contact wired to a GPIO line'),
    bus: name.describe('name of the bus under `buses`'),
    line: z.int().min(0).max(1023).describe('GPIO line: its offset on the chip'),
    isolated_when: z.literal([0, 1]).describe('the level of the line while the link is isolated'),
    bias: z
      .enum(['pull-up', 'pull-down', 'none'])
      .default('none')
      .describe('pull of the line where the kernel can set it; `none`: an external resistor'),
    debounce: duration(0, 1_000).default(20).describe('how long a level must last to count'),
    mirrors: name
      .exactOptional()
      .describe('the contact whose mirror contact this is; left out, it sees the whole link'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('snmp').describe('operational status of a port, as an SNMP agent reports it'),
    bus: name.describe('name of the bus under `buses`'),
    port: portName.describe('name of the port (ifName)'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z
      .literal('console')
      .describe("operational state of a console contact's port, as the switch shows it"),
    contact: name.describe('name of the console contact of this link'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('usb-device').describe('a USB device that exists only while connected'),
    vendor: usbId.describe('vendor id, four hexadecimal digits as `lsusb` prints them'),
    product: usbId.describe('product id'),
    serial: z.string().min(1).max(126).exactOptional().describe('serial number, when there may be two alike'),
  }),
  z.strictObject({
    name: name.describe('name of this witness, unique within the link'),
    type: z.literal('command').describe('a program whose exit code tells where the link stands'),
    argv: z
      .array(z.string().min(1).max(500))
      .min(1)
      .max(32)
      .refine(([program]) => program?.startsWith('/') === true, 'the program is named by its absolute path')
      .describe('program and arguments; no shell'),
    timeout: duration(50, 10_000).default(1_000).describe('how long it may take'),
    isolated_exit: z.int().min(0).max(255).describe('exit code that means isolated'),
    connected_exit: z.int().min(0).max(255).default(0).describe('exit code that means connected'),
  }),
]);
