import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { AREA_ROUTES } from './pages/registry'
import { useSession } from './stores/session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Who may open it; without a page anybody who is signed in. */
    page?: string
    open?: boolean
  }
}

const routes: RouteRecordRaw[] = [
  { path: '/login', component: () => import('./views/LoginView.vue'), meta: { open: true } },
  ...AREA_ROUTES,
  { path: '/account', component: () => import('./views/AccountView.vue') },
  { path: '/home', component: () => import('./views/HomeView.vue') },
  { path: '/denied', component: () => import('./views/DeniedView.vue') },
  { path: '/', redirect: '/home' },
  { path: '/:rest(.*)*', component: () => import('./views/NotFoundView.vue') },
]

export function createStaffRouter() {
  const router = createRouter({ history: createWebHistory('/staff'), routes })
  router.beforeEach(async (to) => {
    const session = useSession()
    await session.restore()
    if (session.staff && session.awaits) {
      const place = session.awaits === 'second_step' ? '/login' : '/account'
      return to.path === place || { path: place, query: to.query, replace: true }
    }
    if (to.meta.open) return session.staff ? session.home : true
    if (!session.staff) return { path: '/login', query: to.path === '/home' ? {} : { next: to.fullPath } }
    if (to.meta.page && !session.may(to.meta.page)) return { path: '/denied', replace: true }
    if (to.path === '/home' && session.home !== '/home') return { path: session.home, replace: true }
    return true
  })
  return router
}
