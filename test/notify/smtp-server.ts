/** A small SMTP server (RFC 5321, STARTTLS of RFC 3207, AUTH PLAIN of RFC 4954), enough for one client at a time; and badly behaved on request. */
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly encrypted: boolean;
  readonly login: string | null;
}

export interface Behaviour {
  /** Replies by verb, instead of the ordinary one. `null`: no reply at all. */
  readonly replies?: Readonly<Record<string, string | null>>;
  readonly starttls?: boolean;
  /** Says nothing when somebody connects. */
  readonly mute?: boolean;
}

export class SmtpServer {
  readonly mails: Mail[] = [];
  readonly said: string[] = [];
  behaviour: Behaviour = {};
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #tls: { readonly key: Buffer; readonly cert: Buffer } | null;

  constructor(tls: { readonly key: Buffer; readonly cert: Buffer } | null) {
    this.#tls = tls;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      if (this.behaviour.mute === true) return;
      this.#serve(socket, false);
      socket.write('220 test ESMTP\r\n');
    });
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket, encrypted: boolean): void {
    const mail = { from: '', to: [] as string[], lines: [] as string[], login: null as string | null };
    let inData = false;
    let rest = '';
    const take = (chunk: Buffer): void => {
      rest += chunk.toString('utf8');
      for (let end = rest.indexOf('\r\n'); end !== -1; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (inData && line !== '.') mail.lines.push(line);
        else if (inData) {
          inData = false;
          const { from, to, login } = mail;
          const reply = this.#replyTo('DOT', '250 2.0.0 kept');
          if (reply?.startsWith('2') === true)
            this.mails.push({ from, to, login, encrypted, text: mail.lines.join('\n') });
          if (reply !== null) socket.write(`${reply}\r\n`);
        } else {
          this.said.push(line);
          const verb = line.split(/[ :]/, 1)[0]?.toUpperCase() ?? '';
          if (verb === 'MAIL') mail.from = line;
          if (verb === 'RCPT') mail.to.push(line);
          if (verb === 'AUTH') mail.login = Buffer.from(line.split(' ')[2] ?? '', 'base64').toString('utf8');
          const reply = this.#replyTo(verb, this.#ordinary(verb, encrypted));
          if (reply !== null) socket.write(`${reply}\r\n`);
          inData = verb === 'DATA' && reply?.startsWith('354') === true;
          if (verb === 'STARTTLS' && reply?.startsWith('220') === true && this.#tls !== null) {
            socket.off('data', take);
            const secure = new TLSSocket(socket, { isServer: true, ...this.#tls });
            secure.on('error', () => socket.destroy());
            return this.#serve(secure, true);
          }
        }
      }
    };
    socket.on('data', take);
  }

  #replyTo(verb: string, ordinary: string): string | null {
    const { replies } = this.behaviour;
    return replies !== undefined && Object.hasOwn(replies, verb) ? (replies[verb] ?? null) : ordinary;
  }

  #ordinary(verb: string, encrypted: boolean): string {
    switch (verb) {
      case 'EHLO': {
        const offers = [
          ...(this.behaviour.starttls !== false && !encrypted ? ['STARTTLS'] : []),
          'AUTH PLAIN',
        ];
        return [
          '250-test',
          ...offers.map((each, index) => `250${index === offers.length - 1 ? ' ' : '-'}${each}`),
        ].join('\r\n');
      }
      case 'STARTTLS':
        return '220 go ahead';
      case 'AUTH':
        return '235 welcome';
      case 'DATA':
        return '354 go on';
      case 'QUIT':
        return '221 bye';
      default:
        return '250 ok';
    }
  }
}
