import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { useSession, type StaffPage } from './stores/session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Who may open it; without a page anybody who is signed in. */
    page?: StaffPage
    open?: boolean
  }
}

const routes: RouteRecordRaw[] = [
  { path: '/login', component: () => import('./views/LoginView.vue'), meta: { open: true } },
  { path: '/teller', component: () => import('./views/TellerView.vue'), meta: { page: 'teller' } },
  { path: '/qa', component: () => import('./views/QaListView.vue'), meta: { page: 'qa' } },
  { path: '/qa/:callId', component: () => import('./views/QaCallView.vue'), props: true, meta: { page: 'qa' } },
  { path: '/alarms', component: () => import('./views/AlarmsView.vue'), meta: { page: 'alarms' } },
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
    if (to.meta.open) return session.staff ? session.home : true
    if (!session.staff) return { path: '/login', query: to.path === '/home' ? {} : { next: to.fullPath } }
    if (to.meta.page && !session.may(to.meta.page)) return { path: '/denied', replace: true }
    if (to.path === '/home' && session.home !== '/home') return { path: session.home, replace: true }
    return true
  })
  return router
}
