import { ConfigError } from '@gatehouse/platform';
import { Command, CommanderError } from 'commander';
import { auditTail } from './audit-tail.ts';
import { exitCodes, Failure } from './exit-codes.ts';
import { rebuild } from './rebuild.ts';
import { start } from './start.ts';
import { status } from './status.ts';

const program = new Command('gatehouse')
  .description('The one gate that every MCP call of an organisation passes.')
  .version('0.1.0')
  .showHelpAfterError('(gatehouse --help shows what there is)')
  .exitOverride()
  .addHelpText(
    'after',
    `
Settings come from the environment (GATEHOUSE_DATA, GATEHOUSE_PORT, …) and from the YAML file
that GATEHOUSE_CONFIG names; docs/reference/config.md lists them all.

Exit codes:
  0  done                          2  wrong usage or configuration
  1  something failed              3  no Gatehouse is running there
                                   4  running, but not ready`,
  );

program
  .command('start')
  .description('start every service in this process and serve until stopped')
  .action(start);

program
  .command('demo')
  .description('show the whole thing on real MCP servers, on a throw-away data directory')
  .option('--keep', 'leave it running at the end and print how to connect')
  .action(async (options: { keep?: true }) => {
    // Loaded on demand: what the demo needs, a production start need not read.
    const { demo } = await import('../demo/demo.ts');
    await demo({ keep: options.keep === true });
  });

program
  .command('status')
  .description('tell whether the Gatehouse on the data directory runs, and what it still waits for')
  .option('--json', 'print one JSON object')
  .action(status);

program
  .command('rebuild')
  .description('fold every read table anew from the event logs; Gatehouse must be stopped')
  .action(rebuild);

const audit = program.command('audit').description('look at the audit trail');
audit
  .command('tail')
  .description('print the newest records of the trail, oldest first')
  .option('-n, --lines <count>', 'how many', '20')
  .option('-f, --follow', 'keep printing as records arrive')
  .option('--json', 'print one JSON object a line')
  .option('--principal <name>', 'only what this user or agent asked for')
  .option('--server <slug>', 'only requests to this server')
  .option('--tool <name>', 'only requests for this tool')
  .option('--denied', 'only what was refused')
  .action(auditTail);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`gatehouse: ${message}\n`);
  if (error instanceof ConfigError) return exitCodes.usage;
  return error instanceof Failure ? error.exitCode : exitCodes.failed;
}
