import type { StaffArea } from './registry'

export default {
  page: 'notices',
  position: 75,
  roles: ['supervisor', 'admin'],
  routes: [{ path: '/notices', component: () => import('../views/NoticesView.vue') }],
} satisfies StaffArea
