import type { StaffArea } from './registry'

export default {
  page: 'postings',
  position: 27,
  roles: ['supervisor'],
  routes: [{ path: '/postings', component: () => import('../views/PostingsView.vue') }],
} satisfies StaffArea
