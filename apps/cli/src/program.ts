import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import type { ExitCode } from './exit-code.ts'
import type { Surroundings } from './surroundings.ts'

/** What a command does: it answers with its exit code, or throws. */
export type Run<Options> = (options: Options, surroundings: Surroundings) => Promise<ExitCode>

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/**
 * The command line. What a command needs is loaded when that command runs.
 * @param done takes the exit code of the command that ran
 */
export function createProgram(surroundings: Surroundings, done: (code: ExitCode) => void): Command {
  const { stdout, stderr } = surroundings
  const program = new Command('countersign')
    .description('Signs people in, issues tokens, tells whether they are good, takes them back, and keeps the record.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => undefined,
    })
    .addHelpText('after', exitCodeHelp)
  const runs: Runs =
    (load) =>
    async (...given) => {
      const command = given.at(-1) as Command
      done(await (await load())({ ...command.opts(), operands: command.args }, surroundings))
    }

  addServe(program)
  addConfig(program.command('config').description('Check and prepare the configuration.'), runs)
  addAccount(program.command('account').description('Look after the accounts that are kept here.'), runs)
  addToken(program.command('token').description('Get, check and revoke tokens.'), runs)
  addKeys(program.command('keys').description('Look after the signing keys, as an operator.'), runs)
  addAudit(program.command('audit').description('Read the audit journal.'), runs)
  program
    .command('doctor')
    .description('Reach every dependency, check what it is set to, and say how to mend it.')
    .addOption(configFile())
    .addOption(json())
    .action(runs(async () => (await import('./doctor/doctor.ts')).doctor))
  return program
}

const exitCodeHelp = `
Exit codes: 0 done, 1 failed, 2 mistake on the command line or in the configuration, 3 unavailable,
4 refused, 5 token not active.`

const json = () => new Option('--json', 'print JSON, errors too')
const configFile = () => new Option('-c, --config <file>', 'the configuration (default: $COUNTERSIGN_CONFIG)')

/** A command's action: loads what does it, and runs that with the command's options. */
type Runs = <Options extends object>(load: () => Promise<Run<Options>>) => (...given: unknown[]) => Promise<void>

function addServe(program: Command): void {
  program
    .command('serve')
    .description('Run one service, or all of them in one process.')
    .argument('[service]', 'all, login, token-issuer, introspection or audit', 'all')
    .addOption(configFile())
    .addOption(json())
    .action(async (service: string, options: { config?: string }) =>
      (await import('./serve.ts')).serve(service, options),
    )
}

function addConfig(config: Command, runs: Runs): void {
  config
    .command('check')
    .description('Tell every mistake in the configuration, or what is in effect.')
    .addOption(configFile())
    .addOption(json())
    .action(runs(async () => (await import('./config/check.ts')).checkConfig))
  config
    .command('schema')
    .description('Print the JSON Schema of the configuration file.')
    .addOption(json())
    .action(runs(async () => (await import('./config/schema.ts')).printSchema))
  refusingSecrets(config.command('hash-secret'))
    .description('Turn a client secret, from standard input or the terminal, into what may stand in the file.')
    .addOption(json())
    .action(runs(async () => (await import('./config/secrets.ts')).hashGivenSecret))
  config
    .command('new-secret')
    .description('Make a client secret of 256 random bits, with its hash for the file.')
    .addOption(json())
    .action(runs(async () => (await import('./config/secrets.ts')).newSecret))
}

function addAccount(account: Command, runs: Runs): void {
  account
    .command('setup-link')
    .description('Print the link that makes the first account: it works until there is one. Keep it to yourself.')
    .addOption(configFile())
    .addOption(json())
    .action(runs(async () => (await import('./account/setup-link.ts')).printSetupLink))
  atLogin(account.command('list'))
    .description('Print the accounts, as an operator.')
    .option('--search <text>', 'only those with this in a name, address, identity or id, in any case')
    .option('--limit <accounts>', 'accounts at most (default: 100)')
    .action(runs(async () => (await import('./account/list.ts')).listAccounts))
  ofAccount(account, 'show')
    .description('Print an account with its roles.')
    .action(runs(async () => (await import('./account/list.ts')).showAccount))
  atLogin(account.command('invite'), '<login-name>')
    .description('Make an account, and print the link with which its owner chooses a password.')
    .option('--name <name>', 'what its owner is called')
    .option('--email <address>', 'the owner’s address; you vouch for it')
    .option('--role <role>', 'a role, given to the account itself; may be repeated', collect)
    .option('--send', 'send the link to the address instead of printing it')
    .action(runs(async () => (await import('./account/links.ts')).inviteAccount))
  ofAccount(account, 'reset-link')
    .description('Print a link that chooses a new password; the old one works until then.')
    .option('--send', 'send the link to the account’s address instead of printing it')
    .action(runs(async () => (await import('./account/links.ts')).makeResetLink))
  addAccountChanges(account, runs)
}

function addAccountChanges(account: Command, runs: Runs): void {
  ofAccount(account, 'change')
    .description('Change what is known of somebody; an empty text takes it away.')
    .option('--name <name>', 'what they are called')
    .option('--email <address>', 'their address; you vouch for it')
    .action(runs(async () => (await import('./account/change.ts')).changeAccount))
  ofAccount(account, 'roles')
    .description('Print the roles of the account itself, or change them.')
    .option('--set <roles>', 'exactly these, with commas between them')
    .option('--add <role>', 'this one more; may be repeated', collect)
    .option('--remove <role>', 'this one no more; may be repeated', collect)
    .action(runs(async () => (await import('./account/change.ts')).changeRoles))
  ofAccount(account, 'remove-second-factor')
    .description('Take one-time passwords, recovery codes and passkeys away, for somebody who has lost them.')
    .action(runs(async () => (await import('./account/change.ts')).removeSecondFactor))
  ofAccount(account, 'disable')
    .description('End every session and token, and let nobody sign in.')
    .action(runs(async () => (await import('./account/end.ts')).disableAccount))
  ofAccount(account, 'enable')
    .description('Let a disabled account sign in again.')
    .action(runs(async () => (await import('./account/end.ts')).enableAccount))
  ofAccount(account, 'delete')
    .description('Delete an account for good, with every session and token.')
    .option('--yes', 'do not ask')
    .option('--wait', 'until every cache enforces it, and say how many there are and how long it took')
    .action(runs(async () => (await import('./account/end.ts')).deleteAccount))
}

/** What an operator asks login. */
function atLogin(command: Command, operand?: string): Command {
  const taking = operand === undefined ? command : command.argument(operand)
  const asking = overGrpc(asClient(taking), whereItListens).addOption(json())
  return operand === undefined ? asking : asking.usage(`[options] ${operand}`)
}

/** Of an account that is there. */
const ofAccount = (account: Command, name: string): Command =>
  atLogin(account.command(name), '<name>').option('--id', 'the name is an account’s id, and no login name')

const collect = (value: string, before: string[] = []): string[] => [...before, value]

function addToken(token: Command, runs: Runs): void {
  asClient(token.command('new'))
    .description('Get an access token for the client itself (client_credentials).')
    .option('--scope <scopes>', 'scopes to ask for, separated by spaces (default: all it may have)')
    .addOption(json())
    .action(runs(async () => (await import('./token/new.ts')).newToken))
  overGrpc(withToken(asClient(token.command('introspect'))), 'ask over gRPC instead of HTTP')
    .description('Ask whether a token is good, and for what.')
    .addOption(json())
    .action(runs(async () => (await import('./token/introspect.ts')).introspectToken))
  const asOperator = 'as an operator, whoever’s token it is; where the service is'
  overGrpc(withToken(asClient(token.command('revoke'))), asOperator)
    .description('Take a token back, or as an operator what is named; prints the revision that has it.')
    .option('--grant <id>', 'as an operator: a grant, and every token of it')
    .option('--session <id>', 'as an operator: a session, and every token that does not outlive it')
    .option('--subject <id>', 'as an operator: every session and token of a person')
    .option('--client <id>', 'as an operator: every token of a client')
    .option('--disable', 'with --subject or --client: and let there be no new ones')
    .option('--wait', 'until every cache enforces it, and say how many there are and how long it took')
    .addOption(json())
    .action(runs(async () => (await import('./token/revoke.ts')).revokeToken))
}

function addKeys(keys: Command, runs: Runs): void {
  overGrpc(asClient(keys.command('list')), whereItListens)
    .description('Print the signing keys: published, active and retired ones.')
    .addOption(json())
    .action(runs(async () => (await import('./keys/keys.ts')).listKeys))
  overGrpc(asClient(keys.command('rotate')), whereItListens)
    .description('Publish new signing keys, which sign once everybody can know them.')
    .option('--alg <alg>', 'only of this algorithm: RS256, ES256 or EdDSA')
    .option('--compromised', 'a key was stolen: the new ones sign at once, what the old ones signed is worth nothing')
    .addOption(json())
    .action(runs(async () => (await import('./keys/keys.ts')).rotateKeys))
}

function addAudit(audit: Command, runs: Runs): void {
  asClient(audit.command('tail'))
    .description('Print the latest audit events, and with --follow what comes.')
    .option('--audit <url>', 'where the audit service is (default: the issuer)')
    .option('-f, --follow', 'go on with events as they come')
    .option('--since-index <index>', 'begin after this index of the journal')
    .option('--limit <events>', 'events at most, before following')
    .option('--type <type>', 'only this type, such as token.revoked')
    .option('--subject <subject>', 'only this subject')
    .option('--client <id>', 'only events of this client')
    .addOption(new Option('--json', 'print one JSON object a line'))
    .action(runs(async () => (await import('./audit/tail.ts')).tailAudit))
}

/** Options of what is asked as a client. */
const asClient = (command: Command): Command =>
  refusingSecrets(command)
    .option('--client-id <id>', 'the client that asks (default: $COUNTERSIGN_CLIENT_ID)')
    .option('--client-secret-file <file>', 'its secret (default: $COUNTERSIGN_CLIENT_SECRET, or it is asked for)')
    .option('--issuer <url>', 'the server (default: of the configuration, or http://localhost:8080)')
    .addOption(configFile())
    .option('--allow-plaintext', 'send secrets without TLS to other machines')

const whereItListens = 'where the service is (default: of the configuration, or localhost:50051)'

/** Options of what is asked, or may be, over gRPC. */
const overGrpc = (command: Command, why: string): Command =>
  command
    .option('--grpc <host:port>', why)
    .option('--ca <file>', 'over gRPC: authorities (PEM) that may sign the server’s certificate; turns TLS on')
    .option('--cert <file>', 'over gRPC: our certificate (PEM), instead of a client secret; needs --key')
    .option('--key <file>', 'over gRPC: private key (PEM) of --cert')

const withToken = (command: Command): Command =>
  command.option('--token-file <file>', 'the token (default: $COUNTERSIGN_TOKEN, or standard input)')

const secretOptions = ['--token', '--secret', '--client-secret', '--password']

/** Arguments are seen by everybody on the machine, and kept in the history of the shell. */
function refusingSecrets(command: Command): Command {
  const refuse = (): never => {
    const instead = command.name() === 'hash-secret' ? 'standard input' : 'standard input, a file or the environment'
    throw new CommanderError(
      2,
      'countersign.secret',
      `secrets are never taken as arguments, but from ${instead}: --help`,
    )
  }
  for (const option of secretOptions) command.addOption(new Option(`${option} <value>`).hideHelp().argParser(refuse))
  return command.usage('[options]').addArgument(command.createArgument('[secret]').argParser(refuse))
}
