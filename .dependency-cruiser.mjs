// Borders (design §2): contracts ← libs ← services, contracts and libs ← apps, never sideways between services; the engine is
// pure; each client library of Kafka, PostgreSQL and Redis is imported in one lib. Run by scripts/check-borders.ts, which also
// fails when fewer modules were looked at than there must be.
const OURS = '^(contracts|libs|services|apps|bench|e2e|deploy|scripts|docs)/'
const TESTS = String.raw`(\.test\.tsx?$|/test/)`

/** `from` may import of this repository only `to`, and what lies in the same workspace. */
const only = (name, comment, from, to) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: OURS, pathNot: to },
})

const oneImporter = (library, lib, others = []) => ({
  name: `${library}-in-one-lib`,
  comment: `${library} is imported in libs/${lib} only, so that it can be replaced there`,
  severity: 'error',
  from: { path: OURS, pathNot: [`^libs/${lib}/`, '^docs/', '^apps/dashboard/', ...others] },
  to: { path: `node_modules/${library}/` },
})

export default {
  forbidden: [
    only('contracts-import-nothing', 'contracts are what everybody may import', '^contracts/', ['^contracts/']),
    // The infrastructure of tests is that of the local start.
    only('libs-import-contracts-and-libs', 'libs know no service', '^libs/(?!testing/)', ['^contracts/', '^libs/']),
    only('testing-imports-libs-and-local', 'libs/testing starts what deploy/local starts', '^libs/testing/', [
      '^contracts/',
      '^libs/',
      '^deploy/local/src/',
    ]),
    only('services-never-sideways', 'what two services share crosses a process border', '^services/([^/]+)/', [
      '^contracts/',
      '^libs/',
      '^services/$1/',
      '^docs/',
    ]),
    only('apps-import-contracts-and-libs', 'apps use the front door', '^apps/([^/]+)/', ['^contracts/', '^libs/', '^apps/$1/']),
    only('local-imports-contracts-and-libs', 'the supervisor starts services, it does not import them', '^deploy/', [
      '^contracts/',
      '^libs/',
      '^deploy/',
    ]),
    only('engine-is-pure', 'libs/engine imports contracts and libs/sigma only', '^libs/engine/', [
      '^contracts/',
      '^libs/sigma/',
      '^libs/engine/',
    ]),
    {
      name: 'engine-without-the-machine',
      comment: 'no clock, file or network in the engine: state is a function of the log',
      severity: 'error',
      from: { path: '^libs/(engine|sigma)/src/', pathNot: TESTS },
      // Hashes are pure.
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|assert)$' },
    },
    {
      name: 'testing-in-tests-only',
      comment: 'libs/testing is not part of a running system',
      severity: 'error',
      from: { path: '^(services|apps|contracts|libs/(?!testing/))', pathNot: TESTS },
      to: { path: '^libs/testing/' },
    },
    oneImporter('kafkajs', 'kafka', ['^bench/', '^e2e/']),
    oneImporter('pg', 'postgres'),
    oneImporter('ioredis', 'redis'),
    {
      name: 'no-circles',
      severity: 'error',
      from: { path: OURS },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'everything-resolves', severity: 'error', from: { path: OURS }, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['(^|/)dist/', '(^|/)\\.local/'] },
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.css'],
    },
  },
}
