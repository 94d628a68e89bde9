// What every `npm …` command of this repository begins with. Plain JavaScript for Node 20 or later and without any dependency,
// because nothing else can be relied on in a fresh clone:
//
//   1. checks the machine, and says in one line what is missing (exit code 1);
//   2. installs the packages when they are absent or package-lock.json has changed;
//   3. runs the command with Node 24: the system's, else the one that the packages bring along.
//
// Everything it says goes to standard error: standard output belongs to the command.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const OLDEST_NODE = 20
const NODE = 24
const OLDEST_JAVA = 17
const PROGRESS_EVERY_MS = 5_000
/** npm tells the reason first and then how it is used. */
const OUTPUT_CHARACTERS = 1_500
const PARENT_CHECK_MS = 500
/** A signal that comes by two ways, from the terminal and from npm, is one wish. */
const SAME_SIGNAL_MS = 1_000

/**
 * `infrastructure`: needs Kafka, and so Java, unless its address is given. `group`: a process group of its own, so that Ctrl-C in
 * a terminal reaches it once and by way of this script. `here`: runs in the folder where the person is.
 */
const COMMANDS = {
  start: { entry: ['deploy/local/src/start.ts'], infrastructure: true, group: true },
  reset: { entry: ['deploy/local/src/reset.ts'] },
  test: { entry: ['scripts/test.ts'], infrastructure: true, group: true },
  verify: { entry: ['scripts/verify.ts'], infrastructure: true, group: true },
  mutations: { entry: ['scripts/mutations.ts'], infrastructure: true, group: true },
  bench: { entry: ['bench/src/main.ts'], infrastructure: true, group: true, here: true },
  chaos: { entry: ['e2e/src/chaos/main.ts'], infrastructure: true, group: true },
  demo: { entry: ['apps/cli/src/main.ts', 'demo'], here: true },
  tocsin: { entry: ['apps/cli/src/main.ts'], here: true },
}

process.env.TOCSIN_BEGUN_AT ??= String(Date.now())
const say = (line) => process.stderr.write(`${line}\n`)
const fail = (line) => {
  say(line)
  process.exit(1)
}

function checkMachine(command) {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    fail(`Node ${OLDEST_NODE} or later is needed, this is ${process.version}: install it from https://nodejs.org`)
  }
  if (!command.infrastructure || process.env.KAFKA_BROKERS) return
  const java = javaVersion()
  if (java === undefined || java < OLDEST_JAVA) {
    if (dockerAnswers()) return
    const found = java === undefined ? 'none was found' : `this is ${java}`
    fail(`A JDK ${OLDEST_JAVA} or later is needed to run Kafka, ${found}: install one (or start Docker, or set KAFKA_BROKERS)`)
  }
  if (!jarsAreThere() && spawnSync('mvn', ['--version'], { stdio: 'ignore' }).status !== 0) {
    fail('Maven (mvn) is needed once to fetch Kafka and was not found: install Maven 3.8 or later (or set KAFKA_BROKERS)')
  }
}

function javaVersion() {
  const answer = spawnSync('java', ['-version'], { encoding: 'utf8' })
  if (answer.status !== 0) return undefined
  // 'openjdk version "17.0.15"'; before Java 9 it read "1.8.0".
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(answer.stderr + answer.stdout) ?? []
  return first === undefined ? undefined : Number(first === '1' ? second : first)
}

function dockerAnswers() {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0
}

function jarsAreThere() {
  const pom = readFileSync(join(ROOT, 'deploy/local/pom.xml'))
  return existsSync(join(ROOT, '.local/cache', `jars-${createHash('sha256').update(pom).digest('hex').slice(0, 12)}`))
}

async function installPackages() {
  const marker = join(ROOT, 'node_modules/.tocsin-installed')
  const lock = readFileSync(join(ROOT, 'package-lock.json'))
  const wanted = createHash('sha256').update(lock).update(`${process.platform} ${process.arch}`).digest('hex')
  const installed = () => read(marker) === wanted
  if (installed()) return
  mkdirSync(join(ROOT, '.local'), { recursive: true })
  const release = await takeInstallLock()
  try {
    if (installed()) return
    // Somebody who works on the packages has run npm by hand: what lies there is right already.
    if (!installedByHand(JSON.parse(lock))) await npmInstall()
    writeFileSync(marker, wanted)
  } finally {
    release()
  }
}

function installedByHand(lock) {
  const hidden = read(join(ROOT, 'node_modules/.package-lock.json'))
  if (hidden === undefined || !existsSync(packagedNode())) return false
  const found = JSON.parse(hidden).packages
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (!path.includes('node_modules/')) return true
    const there = found[path]
    return there === undefined ? wanted.optional === true : there.version === wanted.version && there.resolved === wanted.resolved
  })
}

/** Two commands in a fresh clone at once must not install over each other. */
async function takeInstallLock() {
  const file = join(ROOT, '.local/installing')
  for (let waits = 0; ; waits += 1) {
    try {
      const handle = openSync(file, 'wx')
      writeSync(handle, String(process.pid))
      closeSync(handle)
      const release = () => rmSync(file, { force: true })
      process.once('exit', release)
      return release
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const holder = Number(read(file))
    // An empty file is one that its maker is about to fill.
    if (!isAlive(holder) && (holder > 0 || waits > 10)) rmSync(file, { force: true })
    else if (waits === 10) say(`another command (process ${holder}) is installing the packages; waiting for it`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function npmInstall() {
  say('installing packages (npm ci; about half a minute)')
  const started = Date.now()
  const progress = setInterval(() => {
    say(`still installing packages, ${Math.round((Date.now() - started) / 1000)} s`)
  }, PROGRESS_EVERY_MS)
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const args = [...npm.slice(1), 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  let output = ''
  const code = await new Promise((resolve) => {
    const child = spawn(npm[0], args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    const take = (piece) => {
      output = (output + piece).slice(0, OUTPUT_CHARACTERS)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.once('error', (error) => resolve(error.message))
    child.once('close', resolve)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.once(signal, () => {
        child.kill(signal)
        process.exit(1)
      })
    }
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal)
  clearInterval(progress)
  if (code !== 0) fail(`${output.trim()}\nThe packages could not be installed (npm ci: ${code}); see the lines above`)
  say(`packages installed in ${Math.round((Date.now() - started) / 1000)} s`)
}

function pinnedNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE) return process.execPath
  const packaged = packagedNode()
  if (!existsSync(packaged)) fail(`${packaged} is missing: remove node_modules and run the command again`)
  return packaged
}

function packagedNode() {
  return join(ROOT, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

function runCommand(command, args) {
  const entry = command.entry.map((part, index) => (index === 0 ? join(ROOT, part) : part))
  if (!existsSync(entry[0])) fail(`${command.entry[0]} does not exist in this checkout`)
  // npm runs scripts in the root; paths in arguments are meant from where the person is.
  const cwd = command.here ? (process.env.INIT_CWD ?? process.cwd()) : ROOT
  const child = spawn(pinnedNode(), [...entry, ...args], {
    cwd,
    detached: command.group === true,
    // By the channel a process in a group of its own learns that this one is gone.
    stdio: command.group ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit',
    env: process.env,
  })
  child.once('error', (error) => fail(`the command could not be started: ${error.message}`))
  const last = {}
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      const now = Date.now()
      // Without a group of its own, the terminal has told the command already.
      if (signal === 'SIGINT' && !command.group && process.stdin.isTTY) return
      if (now - (last[signal] ?? 0) > SAME_SIGNAL_MS) child.kill(signal)
      last[signal] = now
    })
  }
  endWithNpm(() => child.kill('SIGTERM'))
  child.once('exit', (code, signal) => {
    if (code !== null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/** npm killed with -9 tells nobody. Run by hand (no npm), the parent is a shell, which this may outlive. */
function endWithNpm(end) {
  if (!process.env.npm_lifecycle_event) return
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    end()
  }, PARENT_CHECK_MS)
  watch.unref()
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

const [name, ...args] = process.argv.slice(2)
const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined
if (!command) fail(`usage: npm run ${Object.keys(COMMANDS).join('|')}`)
checkMachine(command)
await installPackages()
runCommand(command, args)
