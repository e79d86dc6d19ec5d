/** Do the addresses where the processes listen make sense, and is nothing told to the network in the clear by accident? */
import { holdsCertificate, readCertificate, type CertificateBytes } from '../../listener/certificate.ts';
import type { Endpoint } from '../schema/fields.ts';
import { error, warning, type Finding, type Surroundings } from '../text/finding.ts';
import { secretFindings } from './sources.ts';
import type { Path } from '../text/positions.ts';
import { quoted } from '../text/problems.ts';
import type { Config } from '../schema.ts';
import { placesOf, plainSentence, type Listening } from '../schema/listener.ts';

const ANY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

const isLoopback = ({ host }: Endpoint): boolean =>
  /^127(?:\.\d{1,3}){3}$/.test(host) || host === '::1' || host === 'localhost';

const placePath = (process: string, { listen }: Listening, index: number): Path =>
  listen.length === 1 ? [process, 'listen'] : [process, 'listen', index];

/** Findings about `listen`, `tls` and `plain_http` of both processes. */
export function listenerFindings(config: Config, around: Surroundings): readonly Finding[] {
  const { interlock, controller } = config;
  const own = (['interlock', 'controller'] as const).flatMap((process) => [
    ...placeFindings(process, config[process]),
    ...plainFindings(process, config[process]),
    ...tlsFindings(process, config[process], around),
  ]);
  const clashes = controller.listen.flatMap((face, index) =>
    interlock.listen.some((trip) => clash(trip, face))
      ? [
          error(
            placePath('controller', controller, index),
            `port ${face.port} is the interlock's already`,
            'choose another port',
          ),
        ]
      : [],
  );
  return [...own, ...clashes];
}

const clash = (a: Endpoint, b: Endpoint): boolean =>
  a.port === b.port && a.port !== 0 && (a.host === b.host || isLoopback(a) === isLoopback(b));

function placeFindings(process: string, listening: Listening): readonly Finding[] {
  return placesOf(listening).flatMap((place, index) => {
    const path = placePath(process, listening, index);
    const { host } = place;
    const again = listening.listen.findIndex((other) => other.host === host && other.port === place.port);
    if (again < index && place.port !== 0) return [error(path, 'this address is there already', 'remove it')];
    if (isLoopback(place) || place.secure) return [];
    const isAny = ANY_ADDRESS.includes(host);
    if (!isAny && listening.plain_http.includes(plainSentence(host))) {
      const what = `whoever listens on the network of ${quoted(host)} reads the secrets of senders`;
      return [warning(path, what, 'use `tls` when the senders can')];
    }
    const what = `${quoted(host)} is not a loopback address: without TLS secrets would cross the network in the clear`;
    const accept = `or, if it must be, plain_http: ["${plainSentence(host)}"]`;
    const alone = 'plain HTTP is only for an address that is named';
    return [
      error(
        path,
        what,
        `write tls: device, or name certificate_file and key_file under tls; ${isAny ? alone : accept}`,
      ),
    ];
  });
}

function plainFindings(process: string, { listen, tls, plain_http: plain }: Listening): readonly Finding[] {
  return plain.flatMap((sentence, index) => {
    const path = [process, 'plain_http', index];
    const place = listen.find(({ host }) => sentence === plainSentence(host));
    if (place === undefined) {
      const wanted = listen.find((one) => !isLoopback(one)) ?? listen[0];
      const what = 'this is not the sentence for an address that is listened on';
      return [error(path, what, `write exactly: ${plainSentence(wanted?.host ?? 'ADDRESS')}`)];
    }
    if (tls === undefined && isLoopback(place))
      return [error(path, 'a loopback address needs no sentence', 'remove it')];
    return [];
  });
}

function tlsFindings(process: string, listening: Listening, around: Surroundings): readonly Finding[] {
  const { tls } = listening;
  if (tls === undefined) return [];
  const path = [process, 'tls'];
  const { certificate_file: certificate, key_file: key, client_authority_file: authority } = tls;
  if ((certificate === undefined) !== (key === undefined)) {
    const [missing, there] =
      key === undefined ? ['key_file', 'certificate_file'] : ['certificate_file', 'key_file'];
    return [error(path, `missing "${missing}"`, `add it, or remove ${there}: the box then makes both`)];
  }
  const files = [
    ['certificate', 'certificate_file', certificate],
    ['key', 'key_file', key],
    ['clientAuthority', 'client_authority_file', authority],
  ] as const;
  const findings = files.flatMap(([part, name, file]) =>
    file === undefined
      ? []
      : secretFindings([...path, name], file, around).filter(
          // Certificates are no secrets.
          ({ severity }) => severity === 'error' || part === 'key',
        ),
  );
  if (findings.some(({ severity }) => severity === 'error')) return findings;
  const unread = unreadPart(tls, around);
  const named = files.find(([part]) => part === unread?.part);
  if (unread !== null && named?.[2] !== undefined)
    findings.push(
      error([...path, named[1]], `${quoted(named[2])}: ${unread.why}`, 'compare the files under `tls`'),
    );
  if (placesOf(listening).every(({ secure }) => !secure))
    findings.push(error(path, 'every address is in `plain_http`', 'remove one of the two'));
  return findings;
}

/** What is wrong with the files; `null` also when they were not looked at. */
function unreadPart(
  { certificate_file, key_file, client_authority_file }: NonNullable<Listening['tls']>,
  around: Surroundings,
): { readonly part: keyof CertificateBytes; readonly why: string } | null {
  const bytes = (file: string | undefined): Uint8Array | null => {
    const found = file === undefined ? undefined : around.secrets.get(file);
    return found?.kind === 'read' ? found.bytes : null;
  };
  const clientAuthority = bytes(client_authority_file);
  if (clientAuthority !== null && !holdsCertificate(clientAuthority))
    return { part: 'clientAuthority', why: 'it holds no certificate in PEM' };
  const [certificate, key] = [bytes(certificate_file), bytes(key_file)];
  if (certificate === null || key === null) return null;
  const read = readCertificate({ certificate, key, clientAuthority });
  return read.ok ? null : read;
}

/** Findings about sources that show certificates, which only TLS can carry. */
export function certificateSourceFindings({ sources, interlock }: Config): readonly Finding[] {
  return Object.entries(sources).flatMap(([name, { verify }]) => {
    if (verify.type !== 'mtls') return [];
    const path = ['sources', name, 'verify', 'type'];
    const because = ['interlock'];
    if (placesOf(interlock).every(({ secure }) => !secure)) {
      const what = 'the interlock listens without TLS: no sender can show a certificate';
      return [{ ...error(path, what, 'add `tls` under `interlock`'), because }];
    }
    if (verify.subject === undefined || interlock.tls?.client_authority_file !== undefined) return [];
    const what = 'no authority is named whose certificates are believed: a subject proves nothing';
    const hint = 'add `client_authority_file` under `interlock.tls`, or pin `fingerprints` instead';
    return [{ ...error([...path.slice(0, -1), 'subject'], what, hint), because }];
  });
}
