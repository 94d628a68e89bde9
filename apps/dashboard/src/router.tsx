import { createRootRoute, createRoute, createRouter, Link } from '@tanstack/react-router'
import { parseSearch, readSearch, stringifySearch } from './filter.ts'
import { AlertList } from './pages/alert-list.tsx'
import { AlertPage } from './pages/alert-page.tsx'
import { Layout } from './pages/layout.tsx'

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

export const router = createRouter({
  routeTree: root.addChildren([list, alert]),
  parseSearch,
  stringifySearch,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
