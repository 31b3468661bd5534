import { loadSettings } from '../settings.ts';
import { recoverAdministration } from '../standalone.ts';

/** `gatehouse recover-admin`: whoever can read the data directory owns the gate, and can always get back in. */
export async function recoverAdmin(): Promise<void> {
  const tokenFile = await recoverAdministration(loadSettings(process.env));
  process.stdout.write(
    `A fresh administrator's token lies in ${tokenFile} (mode 0600); earlier ones no longer work.\n`,
  );
}
