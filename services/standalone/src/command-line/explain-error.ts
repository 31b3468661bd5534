import { whyUnreachable } from '../why-unreachable.ts';

/** One sentence for the person at the command line: what is wrong, and which setting would mend it. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { syscall } = error as NodeJS.ErrnoException;
  if (syscall === 'listen' || syscall === 'getaddrinfo') return explainListening(error);
  return error.message;
}

function explainListening(
  error: NodeJS.ErrnoException & { port?: number; address?: string; hostname?: string },
): string {
  const { code, port, address, hostname } = error;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use by another program: stop that, or set GATEHOUSE_PORT to a free one`;
    case 'EACCES':
      return `this user may not listen on port ${port}: set GATEHOUSE_PORT to one above 1023`;
    case 'EADDRNOTAVAIL':
      return `${address} is no address of this machine: set GATEHOUSE_HOST to one that is, such as 127.0.0.1`;
    case 'ENOTFOUND':
      return `${hostname} is no host that is known here: set GATEHOUSE_HOST to an address of this machine, such as 127.0.0.1`;
    default:
      return whyUnreachable(error) ?? error.message;
  }
}
