import { createRootRoute, createRoute, createRouter, Link } from '@tanstack/react-router'
import { parseSearch, readSearch, stringifySearch } from './filter.ts'
import { AlertList } from './pages/alert-list.tsx'
import { AlertPage } from './pages/alert-page.tsx'
import { ExceptionsPage } from './pages/exceptions/exceptions-page.tsx'
import { NewException } from './pages/exceptions/new-exception.tsx'
import { Layout } from './pages/layout.tsx'
import { NewRule, readCopy } from './pages/rules/new-rule.tsx'
import { RuleList } from './pages/rules/rule-list.tsx'
import { RulePage } from './pages/rules/rule-page.tsx'
import { readSpan, StatisticsPage } from './pages/statistics-page.tsx'

const root = createRootRoute({
  component: Layout,
  validateSearch: readSearch,
  notFoundComponent: () => (
    <main className="page narrow" id="content">
      <h1>There is nothing at this address</h1>
      <Link to="/" search={{}}>
        To the alerts
      </Link>
    </main>
  ),
})
const list = createRoute({ getParentRoute: () => root, path: '/', component: AlertList })
const alert = createRoute({ getParentRoute: () => root, path: '/alerts/$id', component: AlertPage })
const newException = createRoute({ getParentRoute: () => root, path: '/alerts/$id/exception', component: NewException })
const statistics = createRoute({
  getParentRoute: () => root,
  path: '/statistics',
  component: StatisticsPage,
  validateSearch: readSpan,
})
const rules = createRoute({ getParentRoute: () => root, path: '/rules', component: RuleList })
const rule = createRoute({ getParentRoute: () => root, path: '/rules/$ruleId', component: RulePage })
const newRule = createRoute({
  getParentRoute: () => root,
  path: '/new-rule',
  component: NewRule,
  validateSearch: readCopy,
})
const exceptions = createRoute({ getParentRoute: () => root, path: '/exceptions', component: ExceptionsPage })

export const router = createRouter({
  routeTree: root.addChildren([list, alert, newException, statistics, rules, rule, newRule, exceptions]),
  parseSearch,
  stringifySearch,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
