import { Command, CommanderError } from 'commander';
import type { AuditTailOptions } from './audit-tail.ts';
import { exitCodes, Failure } from './exit-codes.ts';
import { explain } from './explain-error.ts';
import { serviceNames } from './serve.ts';

// Each command is loaded when it is asked for: `--help` need not wait for what `start` needs.

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
  .action(async () => (await import('./start.ts')).start());

program
  .command('demo')
  .description('show the whole thing on real MCP servers, on a throw-away data directory')
  .option('--keep', 'leave it running at the end and print how to connect')
  .action(async (options: { keep?: true }) =>
    (await import('../demo/demo.ts')).demo({ keep: options.keep === true }),
  );

program
  .command('serve')
  .description(
    'host one service in this process, as in a cluster (settings: process.* and its own)',
  )
  .argument('<service>', `which: ${serviceNames.join(', ')}`)
  .action(async (service: string) => (await import('./serve.ts')).serve(service));

program
  .command('migrate')
  .description('bring the database of a cluster to head: schemas, roles, tables')
  .option(
    '--contract',
    'also take away what only older releases stand on; refused while one of them runs',
  )
  .action(async (options: { contract?: true }) =>
    (await import('./migrate.ts')).migrateDatabase({ contract: options.contract === true }),
  );

program
  .command('status')
  .description('tell whether the Gatehouse on the data directory runs, and what it still waits for')
  .option('--json', 'print one JSON object')
  .action(async (options: { json?: true }) => (await import('./status.ts')).status(options));

program
  .command('rebuild')
  .description('fold every read table anew from the event logs; Gatehouse must be stopped')
  .argument(
    '[service]',
    `in a cluster: the one service whose tables they are, which must be stopped: ${serviceNames.join(', ')}`,
  )
  .action(async (service?: string) =>
    service === undefined
      ? (await import('./rebuild.ts')).rebuild()
      : (await import('./serve.ts')).rebuildOne(service),
  );

program
  .command('recover-admin')
  .description(
    'give the bootstrap administrator a fresh token, whatever became of the old one; Gatehouse must be stopped',
  )
  .action(async () => (await import('./recover-admin.ts')).recoverAdmin());

const topics = program.command('topics').description('look after the topics of a cluster on Kafka');
topics
  .command('apply')
  .description('make the topics be as Gatehouse needs them; run again, it changes nothing')
  .action(async () => (await import('./topics.ts')).applyTopics());
topics
  .command('replay')
  .description('publish the dead letters of a topic again, once what made them poison is mended')
  .argument('<topic>', 'the topic they came from')
  .action(async (topic: string) => (await import('./topics.ts')).replayTopic(topic));
topics
  .command('park')
  .description('set a message aside that a consumer stands still on, so that it goes on without it')
  .argument('<place>', 'where it lies, as the alarm names it: <topic>/<partition>@<offset>')
  .action(async (place: string) => (await import('./topics.ts')).parkMessage(place));

const audit = program.command('audit').description('look at the audit trail');
audit
  .command('tail')
  .description('print the newest records of the trail, oldest first')
  .option('-n, --lines <count>', 'how many', '20')
  .option('-f, --follow', 'keep printing as records arrive')
  .option('--json', 'print one JSON object a line')
  .option('--principal <name>', 'only what this user or agent asked for')
  .option('--server <slug>', 'only requests to this server')
  .option(
    '--tool <name>',
    'only requests for this tool, by its own name: echo, not everything__echo',
  )
  .option('--denied', 'only what was refused')
  .option('--url <url>', 'ask the admin API there, with the key in GATEHOUSE_TOKEN')
  .action(async (options: AuditTailOptions) =>
    (await import('./audit-tail.ts')).auditTail(options),
  );

// `gatehouse audit tail | head` ends our reader before us: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.done);
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  const message = explain(error);
  process.stderr.write(`gatehouse: ${message}\n`);
  if (error instanceof Error && error.name === 'ConfigError') return exitCodes.usage;
  if (error instanceof Error && error.name === 'NoGatehouse') return exitCodes.notRunning;
  return error instanceof Failure ? error.exitCode : exitCodes.failed;
}
